#include "tests/kafka/node.h"

#include <doctest/doctest.h>

#include <atomic>
#include <deque>
#include <latch>
#include <set>

// Several nodes, and strangers, write to one tenant's topic.

namespace bos::eventstore {

namespace {

using namespace test;
using bos::kafka::test::Brokers;
using bos::kafka::test::RawTopic;

/// Two nodes of one tenant, and its bare topic.
struct TwoOwners {
    TwoOwners() {
        a.open();
        b.open();
    }
    RawTopic topic() { return {a.options.brokers, prefix + acme.value()}; }

    const TenantId acme = tenant("acme");
    const std::string prefix = next_prefix();
    KafkaNode a{prefix};
    KafkaNode b{prefix};
};

void mark(Commit& commit, std::uint64_t owner) { commit.correlation = uuid(1000 + owner); }

}  // namespace

TEST_CASE("an owner that another one overtook gets a conflict, and then sees what is there") {
    TwoOwners nodes;
    Chain chain(nodes.acme);
    REQUIRE(append(*nodes.a.log, chain.next()));
    REQUIRE(append(*nodes.b.log, chain.next()));
    // The first one does not know of it: its record is stored, and no reader takes it.
    Chain behind(nodes.acme, nodes.a.head(nodes.acme));
    CHECK_EQ(code(append(*nodes.a.log, behind.next([](Commit& c) { mark(c, 1); }))),
             Code::conflict);
    CHECK_EQ(nodes.a.head(nodes.acme), chain.head());
    CHECK_EQ(nodes.topic().records().size(), 3);
    REQUIRE(append(*nodes.a.log, chain.next()));
    REQUIRE(nodes.b.catch_up(nodes.acme));
    CHECK_EQ(nodes.b.head(nodes.acme), chain.head());
    CHECK_EQ(verify_chain(*nodes.a.log, nodes.acme).value().head, chain.head());
    CHECK_EQ(verify_chain(*nodes.b.log, nodes.acme).value().head, chain.head());
}

TEST_CASE("an owner that another one overtook learns it when it asks, without an append") {
    TwoOwners nodes;
    Chain chain(nodes.acme);
    REQUIRE(append(*nodes.a.log, chain.next()));
    const Head before = nodes.a.head(nodes.acme);
    CHECK_EQ(confirm(*nodes.a.log, nodes.acme, before).value(), before);
    REQUIRE(append(*nodes.b.log, chain.next()));
    CHECK_EQ(nodes.a.head(nodes.acme), before);
    CHECK_EQ(code(confirm(*nodes.a.log, nodes.acme, before)), Code::conflict);
    CHECK_EQ(nodes.a.head(nodes.acme), chain.head());
    CHECK_EQ(confirm(*nodes.a.log, nodes.acme, chain.head()).value(), chain.head());
    // Who only wants to read as far as there is reads it, too.
    REQUIRE(append(*nodes.b.log, chain.next()));
    REQUIRE(nodes.a.catch_up(nodes.acme));
    CHECK_EQ(nodes.a.head(nodes.acme), chain.head());
    CHECK_EQ(nodes.topic().records().size(), 3);
}

TEST_CASE("questions of many tenants are answered, whatever the state of one of them") {
    TwoOwners nodes;
    constexpr std::uint64_t tenants = 20;
    Answers answers;
    for (std::uint64_t i = 0; i < tenants; ++i)
        nodes.a.log->confirm(tenant(fmt::format("t{}", i)), Head{}, answers.done());
    for (const auto& outcome : answers.wait_for(tenants)) CHECK_EQ(outcome.value(), Head{});
    for (std::uint64_t i = 0; i < tenants; ++i)
        nodes.a.log->confirm(tenant(fmt::format("t{}", i)), Head{}, answers.done());
    for (const auto& outcome : answers.wait_for(2 * tenants)) CHECK_EQ(outcome.value(), Head{});
}

TEST_CASE("all that was chained on an overtaken append fails with it, and the owner goes on") {
    TwoOwners nodes;
    Chain chain(nodes.acme);
    REQUIRE(append(*nodes.a.log, chain.next()));
    REQUIRE(append(*nodes.b.log, chain.next()));
    Chain behind(nodes.acme, nodes.a.head(nodes.acme));
    Answers answers;
    for (int i = 0; i < 20; ++i) {
        nodes.a.log->append(behind.next([](Commit& c) { mark(c, 1); }), answers.done());
    }
    for (const auto& outcome : answers.wait_for(20)) CHECK_EQ(code(outcome), Code::conflict);
    CHECK_EQ(nodes.a.head(nodes.acme), chain.head());
    REQUIRE(append(*nodes.a.log, chain.next()));
}

TEST_CASE("of two nodes that append as fast as they can each record is valid once, or a conflict") {
    TwoOwners nodes;
    constexpr std::uint64_t records = 400;
    constexpr std::size_t pipeline = 8;
    std::set<Hash> done[2];
    std::set<Hash> refused[2];
    std::atomic<int> wrong = 0;
    std::latch start(2);
    std::vector<std::jthread> owners;
    for (std::uint64_t owner = 0; owner < 2; ++owner) {
        owners.emplace_back([&, owner] {
            KafkaLog& log = owner == 0 ? *nodes.a.log : *nodes.b.log;
            start.arrive_and_wait();
            while (log.head(nodes.acme)->position.value < records) {
                Chain own(nodes.acme, *log.head(nodes.acme));
                Answers answers;
                std::vector<Hash> hashes;
                for (std::size_t i = 0; i < pipeline; ++i) {
                    log.append(own.next([&](Commit& c) { mark(c, owner); }), answers.done());
                    hashes.push_back(own.head().hash);
                }
                const auto outcomes = answers.wait_for(pipeline);
                for (std::size_t i = 0; i < pipeline; ++i) {
                    if (outcomes[i]) done[owner].insert(hashes[i]);
                    if (!outcomes[i]) refused[owner].insert(hashes[i]);
                    if (!outcomes[i] && outcomes[i].error().code != Code::conflict) ++wrong;
                }
            }
        });
    }
    owners.clear();
    CHECK_EQ(wrong, 0);
    for (KafkaNode* node : {&nodes.a, &nodes.b}) {
        REQUIRE(node->catch_up(nodes.acme));
        std::set<Hash> valid;
        REQUIRE(node->log->scan(nodes.acme, Position{1}, Position{1'000'000},
                                [&](Position, std::string_view record) {
                                    valid.insert(hash_of(record));
                                    return true;
                                }));
        CHECK(verify_chain(*node->log, nodes.acme).has_value());
        CHECK_EQ(valid.size(), done[0].size() + done[1].size());
        for (const auto& each : done) {
            for (const Hash& hash : each) REQUIRE(valid.contains(hash));
        }
        for (const auto& each : refused) {
            for (const Hash& hash : each) REQUIRE_FALSE(valid.contains(hash));
        }
    }
}

TEST_CASE("records that are none of the log's are ignored by every reader, and counted") {
    TwoOwners nodes;
    RawTopic topic = nodes.topic();
    Chain chain(nodes.acme);
    std::vector<std::string> valid;
    const auto add = [&] {
        valid.push_back(chain.next());
        REQUIRE(append(*nodes.a.log, valid.back()));
    };
    add();
    add();
    topic.produce("not a record");
    topic.produce("");
    topic.produce(valid[0]);  // a duplicate
    topic.produce(valid[1]);
    Chain stranger(tenant("other"), chain.head());
    topic.produce(stranger.next());
    Chain ahead(nodes.acme, Head{.position = Position{7}, .hash = chain.head().hash});
    topic.produce(ahead.next());
    Chain other_past(nodes.acme, Head{.position = Position{2}, .hash = hash_of("another past")});
    topic.produce(other_past.next());
    add();
    topic.produce(valid[2]);
    add();

    CHECK_EQ(nodes.a.log->ignored(nodes.acme), 8);
    KafkaNode fresh(nodes.prefix);
    fresh.open();
    REQUIRE(nodes.b.catch_up(nodes.acme));
    nodes.a.open();  // and one that starts again
    for (const KafkaNode* node : {&nodes.a, &nodes.b, &fresh}) {
        std::vector<std::string> seen;
        REQUIRE(node->log->scan(nodes.acme, Position{1}, Position{100},
                                [&](Position, std::string_view record) {
                                    seen.emplace_back(record);
                                    return true;
                                }));
        CHECK_EQ(seen, valid);
    }
    CHECK_EQ(nodes.b.log->ignored(nodes.acme), 8);
    CHECK_EQ(nodes.b.log->tenants().value(), std::vector{nodes.acme});
}

TEST_CASE("a record that continues the chain is valid whoever wrote it") {
    TwoOwners nodes;
    Chain chain(nodes.acme);
    REQUIRE(append(*nodes.a.log, chain.next()));
    nodes.topic().produce(chain.next());
    Chain behind(nodes.acme, nodes.a.head(nodes.acme));
    CHECK_EQ(code(append(*nodes.a.log, behind.next([](Commit& c) { mark(c, 1); }))),
             Code::conflict);
    CHECK_EQ(nodes.a.head(nodes.acme), chain.head());
}

TEST_CASE("a node that follows a tenant sees what others append, until it appends itself") {
    TwoOwners nodes;
    Chain chain(nodes.acme);
    REQUIRE(append(*nodes.a.log, chain.next()));
    std::promise<void> followed;
    nodes.b.log->follow(nodes.acme, [&](const Result<void>&) { followed.set_value(); });
    followed.get_future().wait();
    CHECK_EQ(nodes.b.head(nodes.acme), chain.head());
    for (int i = 0; i < 50; ++i) REQUIRE(append(*nodes.a.log, chain.next()));
    wait_until([&] { return nodes.b.head(nodes.acme) == chain.head(); });
    CHECK(verify_chain(*nodes.b.log, nodes.acme).has_value());
    REQUIRE(append(*nodes.b.log, chain.next()));
    Chain behind(nodes.acme, nodes.a.head(nodes.acme));
    CHECK_EQ(code(append(*nodes.a.log, behind.next([](Commit& c) { mark(c, 1); }))),
             Code::conflict);
}

TEST_CASE("a replica that is gone is filled again from the topics when the log opens") {
    TwoOwners nodes;
    Chain chain(nodes.acme);
    Chain other(tenant("beta"));
    for (int i = 0; i < 100; ++i) REQUIRE(append(*nodes.a.log, chain.next()));
    for (int i = 0; i < 10; ++i) REQUIRE(append(*nodes.a.log, other.next()));
    nodes.a.log.reset();
    std::filesystem::remove_all(nodes.a.options.replica_path);
    nodes.a.open();
    CHECK_EQ(nodes.a.log->tenants().value(), std::vector{nodes.acme, other.tenant()});
    CHECK_EQ(verify_chain(*nodes.a.log, nodes.acme).value().head, chain.head());
    CHECK_EQ(verify_chain(*nodes.a.log, other.tenant()).value().head, other.head());
    REQUIRE(append(*nodes.a.log, chain.next()));
}

}  // namespace bos::eventstore
