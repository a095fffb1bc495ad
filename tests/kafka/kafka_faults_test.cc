#include "eventstore/kafka_replica.h"
#include "tests/kafka/node.h"

#include <doctest/doctest.h>

#include <limits>
#include <mutex>
#include <set>
#include <vector>

// Kafka does not answer, answers late, or is not what it was.

namespace bos::eventstore {

namespace {

using namespace std::chrono_literals;
using namespace test;
using bos::kafka::test::Brokers;
using bos::kafka::test::Paused;
using bos::kafka::test::RawTopic;

struct Fixture {
    KafkaNode node{next_prefix()};
    const TenantId acme = tenant("acme");
    Chain chain{acme};

    std::string topic_name() const { return node.options.topic_prefix + acme.value(); }
    RawTopic topic() const { return {node.options.brokers, topic_name()}; }
    void append_many(int count) {
        for (int i = 0; i < count; ++i) REQUIRE(append(*node.log, chain.next()));
    }
    /// The records of the log by their hashes.
    std::set<Hash> log() const {
        std::set<Hash> hashes;
        REQUIRE(node.log->scan(acme, Position{1}, Position{1'000'000},
                               [&](Position, std::string_view record) {
                                   hashes.insert(hash_of(record));
                                   return true;
                               }));
        return hashes;
    }
};

/// Records that were appended, with what was said about them.
struct Appended {
    Answers answers;
    std::vector<Hash> hashes;

    void append(KafkaLog& log, std::string record) {
        hashes.push_back(hash_of(record));
        log.append(std::move(record), answers.done());
    }
    /// What was answered for good is so in the log.
    void check(const std::set<Hash>& log) {
        const auto outcomes = answers.wait_for(hashes.size());
        for (std::size_t i = 0; i < hashes.size(); ++i) {
            INFO("record ", i);
            if (outcomes[i]) CHECK(log.contains(hashes[i]));
            if (!outcomes[i] && outcomes[i].error().code != Code::unknown) {
                CHECK_FALSE(log.contains(hashes[i]));
            }
        }
    }
    int count(std::optional<Code> wanted) {
        int found = 0;
        for (const auto& outcome : answers.wait_for(hashes.size()))
            found += code(outcome) == wanted;
        return found;
    }
};

}  // namespace

TEST_CASE("appends that timed out are settled when the broker answers again: valid or a conflict") {
    Fixture f;
    f.node.options.produce_timeout = 1s;
    f.node.open();
    f.append_many(10);
    Appended appended;
    {
        const Paused paused(Brokers::one());
        for (int i = 0; i < 100; ++i) appended.append(*f.node.log, f.chain.next());
        // Longer than a message may take: some are in the sockets of a broker that stands still,
        // some are not sent, and all count as lost.
        std::this_thread::sleep_for(2500ms);
    }
    CHECK_EQ(appended.count(std::nullopt) + appended.count(Code::conflict), 100);
    appended.check(f.log());
    CHECK(verify_chain(*f.node.log, f.acme).has_value());

    Chain on(f.acme, f.node.head(f.acme));
    REQUIRE(append(*f.node.log, on.next()));
    // Copies that arrived after the answers are in the topic, and nobody takes them.
    KafkaNode fresh(f.node.options.topic_prefix);
    fresh.open();
    CHECK_EQ(verify_chain(*fresh.log, f.acme).value().head, on.head());
    CHECK_EQ(fresh.log->tenants().value(), std::vector{f.acme});
}

TEST_CASE("an append that the broker refuses is settled by a record that takes its place") {
    Fixture f;
    SUBCASE("with the producer that sent it") {}
    SUBCASE("with another one, since that one failed for good") {
        // librdkafka's own words: any error that could result in a gap is fatal.
        f.node.options.properties = {{"enable.gapless.guarantee", "true"}};
    }
    f.node.open();
    f.append_many(3);
    f.topic().alter({{"retention.ms", "-1"}, {"max.message.bytes", "4000"}});
    const auto large = [](Commit& commit) {
        commit.events = {event(stream(1), commit.position.value, std::string(8000, 'x'))};
    };
    // Brokers learn of the setting a little later.
    Chain chain(f.acme, f.node.head(f.acme));
    Result<Head> refused = append(*f.node.log, chain.next(large));
    while (refused) refused = append(*f.node.log, chain.next(large));
    CHECK_EQ(code(refused), Code::conflict);

    const Head sealed = f.node.head(f.acme);
    const Commit seal = decode(f.node.log->read(f.acme, sealed.position).value()).value();
    CHECK_EQ(seal.command, "log.seal");
    CHECK(seal.events.empty());
    Chain on(f.acme, sealed);
    for (int i = 0; i < 3; ++i) REQUIRE(append(*f.node.log, on.next()));
    CHECK_EQ(verify_chain(*f.node.log, f.acme).value().head, on.head());
}

TEST_CASE("when the broker stays away nothing is promised, and reading tells later") {
    Fixture f;
    f.node.options.produce_timeout = 500ms;
    f.node.options.settle_timeout = 500ms;
    f.node.open();
    f.append_many(10);
    Appended appended;
    {
        const Paused paused(Brokers::one());
        for (int i = 0; i < 20; ++i) appended.append(*f.node.log, f.chain.next());
        // Those that were not handed to the producer yet are refused for good.
        CHECK_GE(appended.count(Code::unknown), 1);
        CHECK_EQ(appended.count(Code::unknown) + appended.count(Code::unavailable), 20);
        CHECK_EQ(f.node.head(f.acme).position.value, 10);  // reads go on
    }
    wait_until([&] { return f.node.catch_up(f.acme).has_value(); });
    appended.check(f.log());
    // Whatever has become of them, the next one takes its place once and for all.
    Chain on(f.acme, f.node.head(f.acme));
    Result<Head> next;
    do {
        on = Chain(f.acme, f.node.head(f.acme));
        next = append(*f.node.log, on.next());
    } while (!next);
    CHECK_EQ(*next, on.head());
    KafkaNode fresh(f.node.options.topic_prefix);
    fresh.open();
    CHECK_EQ(verify_chain(*fresh.log, f.acme).value().head, on.head());
}

TEST_CASE("what was acknowledged is there after the broker was killed under load") {
    Brokers brokers;
    Fixture f;
    f.node.options.brokers = brokers.bootstrap();
    f.node.options.produce_timeout = 3s;
    f.node.open();
    f.append_many(1);
    Appended appended;
    std::vector<std::size_t> kill_at{50, 120};
    for (std::size_t i = 0; i < 200; ++i) {
        if (i == kill_at.front()) {
            appended.answers.wait_for(i / 2);
            brokers.kill();
            brokers.start();
            kill_at.erase(kill_at.begin());
            kill_at.push_back(std::numeric_limits<std::size_t>::max());
        }
        appended.append(*f.node.log, f.chain.next());
    }
    appended.answers.wait_for(200);
    appended.check(f.log());
    KafkaNode fresh(f.node.options.topic_prefix);
    fresh.options.brokers = brokers.bootstrap();
    fresh.open();
    CHECK_EQ(verify_chain(*fresh.log, f.acme).value().head, f.node.head(f.acme));
    f.node.log.reset();
}

TEST_CASE("more appends than the queue holds are refused, and nothing of them is written") {
    Fixture f;
    f.node.options.queue_records_max = 16;
    f.node.open();
    f.append_many(1);
    Appended appended;
    {
        const Paused paused(Brokers::one());
        for (int i = 0; i < 20; ++i) appended.append(*f.node.log, f.chain.next());
    }
    CHECK_EQ(appended.count(std::nullopt), 16);
    CHECK_EQ(appended.count(Code::unavailable), 4);
    CHECK_EQ(f.node.head(f.acme).position.value, 17);
}

TEST_CASE("a full disk refuses appends before they are sent") {
    Fixture f;
    f.node.open();
    f.append_many(3);
    f.node.options.free_bytes_min = std::numeric_limits<std::uint64_t>::max() / 2;
    f.node.open();
    Chain chain = f.chain;
    CHECK_EQ(code(append(*f.node.log, chain.next())), Code::full);
    CHECK_EQ(f.node.head(f.acme), f.chain.head());
    f.node.options.free_bytes_min = 0;
    f.node.open();
    f.append_many(1);
    CHECK_EQ(f.topic().records().size(), 4);
}

TEST_CASE("what must be durable before a record is so, or the record is refused") {
    Fixture f;
    bool ready = true;
    f.node.options.before_send = [&](const TenantId&, auto done) {
        if (!ready) return done(fail(Code::full, "no keys"));
        done({});
    };
    f.node.open();
    f.append_many(1);
    ready = false;
    Chain chain = f.chain;
    CHECK_EQ(code(append(*f.node.log, chain.next())), Code::unavailable);
    ready = true;
    f.append_many(1);
    CHECK_EQ(f.topic().records().size(), 2);
}

TEST_CASE("a tenant whose keys are not durable yet keeps no other waiting") {
    Fixture f;
    std::mutex mutex;
    std::vector<std::move_only_function<void(Result<void>)>> waiting;
    f.node.options.before_send = [&](const TenantId& tenant, auto done) {
        if (tenant != f.acme) return done({});
        const std::lock_guard lock(mutex);
        waiting.push_back(std::move(done));
    };
    f.node.open();
    Answers answers;
    f.node.log->append(f.chain.next(), answers.done());
    wait_until([&] {
        const std::lock_guard lock(mutex);
        return waiting.size() == 1;
    });
    Chain other(tenant("other"));
    REQUIRE(append(*f.node.log, other.next()));
    CHECK_EQ(answers.count(), 0);
    waiting.front()({});
    CHECK(answers.wait_for(1).front().has_value());
    // The log does not wait for them when it stops; whoever is asked may answer later.
    f.node.log->append(f.chain.next(), answers.done());
    wait_until([&] {
        const std::lock_guard lock(mutex);
        return waiting.size() == 2;
    });
    f.node.log.reset();
    CHECK_EQ(code(answers.wait_for(2).back()), Code::unavailable);
    waiting.back()({});
}

TEST_CASE("the largest record goes through Kafka and back") {
    Fixture f;
    f.node.open();
    const auto large = [](Commit& commit) {
        commit.events = {event(stream(1), 1, std::string(record_bytes_max - 1024, 'x'))};
    };
    const std::string record = f.chain.next(large);
    REQUIRE(append(*f.node.log, record));
    KafkaNode fresh(f.node.options.topic_prefix);
    fresh.open();
    CHECK_EQ(fresh.log->read(f.acme, Position{1}).value(), record);
}

namespace {

/// The name is free when the old topic is deleted everywhere.
void create_anew(RawTopic& topic) {
    wait_until([&] {
        try {
            topic.create({{"retention.ms", "-1"}, {"max.message.bytes", "10000000"}});
            return true;
        } catch (const std::exception&) {
            return false;
        }
    });
}

}  // namespace

TEST_CASE("a topic that was made anew is refused, reads go on") {
    Fixture f;
    f.node.open();
    f.append_many(10);
    RawTopic topic = f.topic();
    const auto records = topic.records();
    f.node.log.reset();
    topic.remove();
    std::string expected;

    SUBCASE("gone") { expected = "gone"; }
    SUBCASE("empty") {
        create_anew(topic);
        expected = "made anew";
    }
    SUBCASE("cut") {
        create_anew(topic);
        for (int i = 0; i < 9; ++i) topic.produce(records[static_cast<std::size_t>(i)]);
        expected = "made anew";
    }
    SUBCASE("longer, with another history") {
        create_anew(topic);
        Chain other(f.acme);
        for (int i = 0; i < 20; ++i) {
            topic.produce(other.next([](Commit& commit) { commit.correlation = uuid(77); }));
        }
        expected = "made anew";
    }
    f.node.open();
    Chain chain = f.chain;
    const Result<Head> refused = append(*f.node.log, chain.next());
    CHECK_EQ(code(refused), Code::corrupt);
    CHECK_MESSAGE(refused.error().detail.contains(expected), refused.error().detail);
    CHECK_EQ(f.node.head(f.acme), f.chain.head());
    CHECK(verify_chain(*f.node.log, f.acme).has_value());
}

// What a broker forgets that answered before its disk had the records, and lost its power.
TEST_CASE("a topic that lost its end with a broker's disk is refused, reads go on") {
    Brokers brokers;
    Fixture f;
    f.node.options.brokers = brokers.bootstrap();
    f.node.options.produce_timeout = 4s;
    f.node.open();
    f.append_many(10);
    const auto topic = brokers.data() / (f.topic_name() + "-0");
    const auto lose_end = [&] {
        brokers.kill();
        const auto segment = topic / "00000000000000000000.log";
        std::filesystem::resize_file(segment, std::filesystem::file_size(segment) / 2);
        brokers.start();
    };
    SUBCASE("while a node serves") { lose_end(); }
    SUBCASE("while no node runs") {
        f.node.log.reset();
        lose_end();
        f.node.open();
    }
    SUBCASE("and others have written since") {
        f.node.log.reset();
        lose_end();
        Chain other(f.acme);
        for (int i = 0; i < 20; ++i) f.topic().produce(other.next());
        f.node.open();
    }
    // The first answer may be that it is not known: then the topic is looked at again.
    std::optional<Code> answer = Code::unknown;
    for (const auto until = std::chrono::steady_clock::now() + 60s;
         answer != Code::corrupt && std::chrono::steady_clock::now() < until;) {
        Chain chain = f.chain;
        answer = code(append(*f.node.log, chain.next()));
        REQUIRE(answer.has_value());
        REQUIRE(answer != Code::conflict);
    }
    CHECK(answer == Code::corrupt);
    CHECK_EQ(f.node.head(f.acme), f.chain.head());
    CHECK(verify_chain(*f.node.log, f.acme).has_value());
}

TEST_CASE("a topic that could lose records is refused until its settings are right") {
    Fixture f;
    RawTopic topic = f.topic();
    const RawTopic::Settings right{
        {"retention.ms", "-1"}, {"max.message.bytes", "10000000"}, {"min.insync.replicas", "1"}};
    RawTopic::Settings wrong = right;
    std::string expected;
    int partitions = 1;
    SUBCASE("retention by time") {
        wrong["retention.ms"] = "604800000";
        expected = "retention.ms=604800000 (expected -1)";
    }
    SUBCASE("retention by size") {
        wrong["retention.bytes"] = "1000000";
        expected = "retention.bytes=1000000 (expected -1)";
    }
    SUBCASE("compaction") {
        wrong["cleanup.policy"] = "compact";
        expected = "cleanup.policy=compact (expected delete)";
    }
    SUBCASE("small records") {
        wrong["max.message.bytes"] = "1000000";
        expected = "max.message.bytes=1000000 (expected at least";
    }
    SUBCASE("a leader that has not all") {
        wrong["unclean.leader.election.enable"] = "true";
        expected = "unclean.leader.election.enable=true (expected false)";
    }
    SUBCASE("several partitions") {
        partitions = 2;
        expected = "has 2 partitions";
    }
    topic.create(wrong, partitions);
    f.node.open();
    Chain chain = f.chain;
    const Result<Head> refused = append(*f.node.log, chain.next());
    CHECK_EQ(code(refused), Code::invalid);
    CHECK_MESSAGE(refused.error().detail.contains(expected), refused.error().detail);
    CHECK(topic.records().empty());
    if (partitions > 1) return;
    topic.alter(right);
    wait_until([&] {
        Chain again(f.acme, f.node.head(f.acme));
        return append(*f.node.log, again.next()).has_value();
    });
}

TEST_CASE("fewer replicas than asked for are refused") {
    Fixture f;
    RawTopic topic = f.topic();
    topic.create({{"retention.ms", "-1"}, {"max.message.bytes", "10000000"}});
    f.node.options.replication_factor = 3;
    f.node.open();
    const Result<Head> refused = append(*f.node.log, f.chain.next());
    CHECK_EQ(code(refused), Code::invalid);
    CHECK(refused.error().detail.contains("1 replicas, 3 are asked for"));
}

TEST_CASE("another cluster is refused, and what was read before is served") {
    Fixture f;
    f.node.open();
    f.append_many(5);
    KafkaReplicaOptions replica{.path = f.node.options.replica_path};
    f.node.log.reset();
    KafkaReplica::open(replica).value()->set_cluster_id("another-cluster").value();
    f.node.open();
    Chain chain = f.chain;
    const Result<Head> refused = append(*f.node.log, chain.next());
    CHECK_EQ(code(refused), Code::corrupt);
    CHECK(refused.error().detail.contains("another-cluster"));
    CHECK_EQ(f.node.head(f.acme), f.chain.head());
    CHECK_EQ(f.topic().records().size(), 5);
}

TEST_CASE("without a broker a node with a replica reads, and one without does not open") {
    Fixture f;
    f.node.open();
    f.append_many(5);
    f.node.options.brokers = "127.0.0.1:1";
    f.node.options.request_timeout = 300ms;
    f.node.open();
    CHECK_EQ(verify_chain(*f.node.log, f.acme).value().head, f.chain.head());
    Chain chain = f.chain;
    CHECK_EQ(code(append(*f.node.log, chain.next())), Code::unavailable);
    f.node.log.reset();

    KafkaNode fresh(f.node.options.topic_prefix);
    fresh.options.brokers = "127.0.0.1:1";
    fresh.options.request_timeout = 300ms;
    const auto opened = KafkaLog::open(fresh.options);
    CHECK_EQ(code(opened), Code::unavailable);
}

TEST_CASE("a setting that librdkafka does not know is refused with its name") {
    KafkaNode node(next_prefix());
    node.options.properties = {{"no.such.setting", "1"}};
    const auto opened = KafkaLog::open(node.options);
    CHECK_EQ(code(opened), Code::invalid);
    CHECK(opened.error().detail.contains("no.such.setting"));
}

TEST_CASE("settings that the promises rest on cannot be overridden") {
    Fixture f;
    f.node.options.properties = {{"acks", "0"}, {"enable.idempotence", "false"}};
    f.node.open();
    f.append_many(3);
    CHECK_EQ(f.node.head(f.acme), f.chain.head());
}

}  // namespace bos::eventstore
