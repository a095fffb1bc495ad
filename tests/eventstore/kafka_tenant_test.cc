#include "eventstore/kafka_tenant.h"

#include "eventstore/kafka_seal.h"
#include "tests/eventstore/answers.h"
#include "tests/eventstore/records.h"
#include "tests/eventstore/seeded_random.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <span>
#include <vector>

// One tenant of the engine, with a topic that the test plays.

namespace bos::eventstore {

namespace {

using namespace std::chrono_literals;
using namespace test;
using Message = kafka::Consumer::Message;

class FixedClock final : public Clock {
  public:
    explicit FixedClock(Timestamp now) : now_(now) {}
    [[nodiscard]] Timestamp now() override { return now_; }

  private:
    Timestamp now_;
};

/// Does what the engine does, one event after the other.
struct Engine {
    const TenantId acme = test::tenant("acme");
    KafkaTenant tenant{acme, "bos.log.acme", {.settle = 30s, .silence = 10s}};
    Chain chain{acme};
    KafkaTenant::Instant now{};
    KafkaBurst burst;
    std::vector<KafkaAppendPtr> sent;
    std::size_t runs = 0;                    ///< that records were sent in
    std::size_t producer_takes = 1'000'000;  ///< of each run
    bool keys_are_durable = true;

    void append(std::string record) {
        auto append = std::make_shared<KafkaAppend>();
        append->done = [](const Result<Head>&) {};
        RecordIndex index = index_of(record).value();
        append->record = IndexedRecord{.bytes = std::move(record), .index = std::move(index)};
        tenant.add(std::move(append), now, burst);
        act();
    }
    void act() {
        if (const std::uint64_t number = tenant.asks_for_keys(); number > 0 && keys_are_durable)
            tenant.keyed(number, {});
        tenant.send(
            [this](std::span<const KafkaAppendPtr> run) -> kafka::Producer::Taken {
                ++runs;
                const auto taken = run.first(std::min(run.size(), producer_takes));
                sent.insert(sent.end(), taken.begin(), taken.end());
                if (taken.size() == run.size()) return {.count = run.size(), .all = {}};
                return {.count = taken.size(), .all = fail(Code::unavailable, "full")};
            },
            now, burst);
    }
    void confirm(const Head& where) {
        auto append = std::make_shared<KafkaAppend>();
        append->done = [](const Result<Head>&) {};
        append->question = KafkaAppend::Question{.tenant = acme, .end = where};
        tenant.add(std::move(append), now, burst);
        act();
    }
    void ended(std::int64_t offset) {
        tenant.ended(Offset{offset}, now, burst);
        act();
    }
    void open(const KafkaReplica::End& end = {}) {
        REQUIRE(tenant.take_opening(now).has_value());
        tenant.opened({}, end, now, burst);
    }
    void read(std::int64_t offset, const std::string& bytes) {
        const Result<RecordIndex> index = index_of(bytes);
        tenant.read({.kind = Message::Kind::record, .offset = Offset{offset}, .bytes = bytes},
                    index ? &*index : nullptr, now, burst);
        burst.records.clear();  // as if they were written now, for they are views
        act();
    }
    void end(std::int64_t offset) {
        tenant.read({.kind = Message::Kind::end, .offset = Offset{offset}}, nullptr, now, burst);
        act();
    }
    void report(std::size_t which, std::optional<std::int64_t> offset) {
        tenant.came_back();
        tenant.reported(*sent[which],
                        offset ? std::optional(Offset{*offset}) : std::optional<Offset>(), "lost",
                        now, burst);
        act();
    }
    /// The codes of the answers since the last call; none = done.
    std::vector<std::optional<Code>> answers() {
        std::vector<std::optional<Code>> codes;
        for (const auto& answer : std::exchange(burst, {}).answers) {
            codes.push_back(code(answer.outcome));
        }
        return codes;
    }
};

using Codes = std::vector<std::optional<Code>>;
constexpr std::optional<Code> done = std::nullopt;

}  // namespace

TEST_CASE("appends wait until the topic was read to its end") {
    Engine engine;
    Chain theirs(engine.acme);
    const std::string first = theirs.next();
    engine.chain = theirs;
    engine.append(engine.chain.next());
    CHECK_EQ(engine.tenant.reading_from(), std::nullopt);
    engine.open();
    CHECK_EQ(engine.tenant.reading_from(), Offset{0});
    engine.read(0, first);
    CHECK(engine.sent.empty());
    engine.end(1);
    REQUIRE_EQ(engine.sent.size(), 1);
    CHECK_EQ(engine.tenant.reading_from(), std::nullopt);
    engine.report(0, 1);
    CHECK_EQ(engine.answers(), Codes{done});
}

TEST_CASE("an append in doubt asks for a seal, again when the seal is lost, and is then decided") {
    Engine engine;
    engine.append(engine.chain.next());
    engine.append(engine.chain.next());
    engine.open();
    engine.end(0);
    REQUIRE_EQ(engine.sent.size(), 2);
    engine.report(0, std::nullopt);
    engine.append(engine.chain.next());
    CHECK_EQ(engine.sent.size(), 2);  // it would be chained on what is lost
    CHECK_FALSE(engine.tenant.wants_seal(engine.now));
    engine.report(1, 0);  // out of place: the one before it is not there

    const auto wanted = engine.tenant.wants_seal(engine.now);
    REQUIRE(wanted.has_value());
    CHECK_EQ(wanted->after, Head{});
    auto seal = std::make_shared<KafkaAppend>();
    seal->seal = true;
    engine.tenant.sealing(seal);
    CHECK_FALSE(engine.tenant.wants_seal(engine.now));
    engine.tenant.came_back();
    engine.tenant.reported(*seal, std::nullopt, "lost", engine.now, engine.burst);
    CHECK_FALSE(engine.tenant.wants_seal(engine.now));
    engine.now += 1s;
    REQUIRE(engine.tenant.wants_seal(engine.now).has_value());
    engine.tenant.sealing(seal);
    engine.tenant.came_back();
    engine.tenant.reported(*seal, Offset{1}, "", engine.now, engine.burst);
    CHECK_EQ(engine.tenant.reading_from(), Offset{1});
    CHECK(engine.answers().empty());

    SeededRandom random(1);
    FixedClock clock(from_micros(5));
    engine.read(1, seal_after(engine.acme, wanted->after, wanted->recorded_at, clock, random));
    // The third was never sent, and does not continue what is there now.
    CHECK_EQ(engine.answers(), Codes{Code::conflict, Code::conflict, Code::conflict});
    CHECK_EQ(engine.tenant.reading_from(), std::nullopt);
    CHECK_FALSE(engine.tenant.wants_seal(engine.now));
    CHECK_FALSE(engine.tenant.restless());
}

TEST_CASE("what is not settled in time is unknown, and what was not sent is refused") {
    Engine engine;
    engine.append(engine.chain.next());
    engine.open();
    engine.end(0);
    engine.report(0, std::nullopt);
    engine.append(engine.chain.next());
    engine.now += 29s;
    engine.tenant.tick(engine.now, engine.burst);
    CHECK(engine.answers().empty());
    engine.now += 2s;
    engine.tenant.tick(engine.now, engine.burst);
    CHECK_EQ(engine.answers(), Codes{Code::unknown, Code::unavailable});
    // It is not looked at again for each append.
    engine.append(engine.chain.next());
    CHECK_EQ(engine.answers(), Codes{Code::unavailable});
    CHECK_FALSE(engine.tenant.take_opening(engine.now));
    engine.now += 2s;
    engine.append(engine.chain.next());
    CHECK(engine.tenant.take_opening(engine.now).has_value());
}

TEST_CASE("reports of an earlier time mean nothing to a chain that was read anew") {
    Engine engine;
    Chain theirs(engine.acme);
    const std::string first = theirs.next([](Commit& commit) { commit.correlation = uuid(9); });
    engine.append(engine.chain.next());
    engine.append(engine.chain.next());
    engine.open();
    engine.end(0);
    REQUIRE_EQ(engine.sent.size(), 2);
    engine.report(0, 1);
    engine.read(0, first);
    CHECK_EQ(engine.answers(), Codes{Code::conflict, Code::conflict});
    // The second's report is still to come when another reads the tenant, and then appends again.
    engine.tenant.follow(true, [](const Result<void>&) {}, engine.now, engine.burst);
    CHECK(engine.tenant.reading_from().has_value());
    engine.append(theirs.next());
    engine.open({.head = {.position = Position{1}, .hash = hash_of(first)},
                 .offset = Offset{0},
                 .recorded_at = {}});
    engine.report(1, 2);
    engine.read(0, first);
    engine.end(3);
    CHECK(engine.answers().empty());
    REQUIRE_EQ(engine.sent.size(), 3);
    engine.report(2, 3);
    CHECK_EQ(engine.answers(), Codes{done});
}

TEST_CASE("a topic that does not hold what the replica ends with is refused") {
    Engine engine;
    Chain theirs(engine.acme);
    const std::string first = theirs.next();
    engine.append(theirs.next());
    engine.open({.head = {.position = Position{1}, .hash = hash_of(first)},
                 .offset = Offset{4},
                 .recorded_at = {}});
    CHECK_EQ(engine.tenant.reading_from(), Offset{4});
    SUBCASE("another record") { engine.read(4, "another"); }
    SUBCASE("the record elsewhere") { engine.read(5, first); }
    SUBCASE("nothing") { engine.end(4); }
    SUBCASE("no such offset") {
        engine.tenant.read({.kind = Message::Kind::gone, .offset = {}}, nullptr, engine.now,
                           engine.burst);
    }
    CHECK_EQ(engine.answers(), Codes{Code::corrupt});
    CHECK_EQ(engine.tenant.reading_from(), std::nullopt);
}

TEST_CASE("a record that the producer does not take was never sent") {
    Engine engine;
    engine.append(engine.chain.next());
    engine.open();
    engine.producer_takes = 0;
    engine.end(0);
    CHECK_EQ(engine.answers(), Codes{Code::unavailable});
    engine.producer_takes = 1;
    Chain again(engine.acme);
    engine.append(again.next());
    engine.report(0, 0);
    CHECK_EQ(engine.answers(), Codes{done});
}

TEST_CASE("what comes while records are under way goes together once they are back") {
    Engine engine;
    engine.append(engine.chain.next());
    engine.open();
    engine.end(0);
    CHECK_EQ(engine.sent.size(), 1);
    for (int i = 1; i < 8; ++i) engine.append(engine.chain.next());
    CHECK_EQ(engine.sent.size(), 1);
    engine.report(0, 0);
    CHECK_EQ(engine.sent.size(), 8);
    CHECK_EQ(engine.runs, 2);
    engine.append(engine.chain.next());
    for (std::size_t i = 1; i < 8; ++i) {
        CHECK_EQ(engine.sent.size(), 8);
        engine.report(i, static_cast<std::int64_t>(i));
    }
    CHECK_EQ(engine.sent.size(), 9);
    engine.report(8, 8);
    CHECK_EQ(engine.answers(), Codes(9, done));
}

TEST_CASE("of records that go together those are refused that the producer does not take") {
    Engine engine;
    for (int i = 0; i < 3; ++i) engine.append(engine.chain.next());
    engine.open();
    engine.producer_takes = 1;
    engine.end(0);
    CHECK_EQ(engine.sent.size(), 1);
    CHECK(engine.answers().empty());  // in their turn
    engine.report(0, 0);
    CHECK_EQ(engine.answers(), Codes{done, Code::unavailable, Code::unavailable});
}

TEST_CASE("a record waits until the keys that it names are durable, and so do those after it") {
    Engine engine;
    engine.keys_are_durable = false;
    engine.append(engine.chain.next());
    engine.open();
    engine.end(0);
    engine.append(engine.chain.next());
    engine.confirm(engine.chain.head());
    CHECK(engine.sent.empty());
    engine.tenant.keyed(2, {});
    engine.act();
    CHECK(engine.sent.empty());  // the first one waits
    SUBCASE("they are") {
        engine.tenant.keyed(1, {});
        engine.act();
        CHECK_EQ(engine.sent.size(), 2);
        CHECK(engine.tenant.asks_for_end());
    }
    SUBCASE("they are not, and what is chained on it cannot be written either") {
        engine.tenant.keyed(1, fail(Code::full, "no keys"));
        engine.act();
        CHECK(engine.sent.empty());
        CHECK_EQ(engine.answers(), Codes{Code::unavailable, Code::conflict, Code::conflict});
    }
}

TEST_CASE("that nobody else has written is known from an end that was asked for afterwards") {
    Engine engine;
    engine.confirm(Head{});
    CHECK_FALSE(engine.tenant.asks_for_end());
    engine.open();
    engine.end(0);
    CHECK(engine.tenant.asks_for_end());
    // This one came after the question was asked, so it needs another.
    engine.confirm(Head{});
    CHECK_FALSE(engine.tenant.asks_for_end());
    engine.ended(0);
    CHECK_EQ(engine.answers(), Codes{done});
    CHECK(engine.tenant.asks_for_end());
    engine.ended(0);
    CHECK_EQ(engine.answers(), Codes{done});
    CHECK_FALSE(engine.tenant.asks_for_end());
}

TEST_CASE("own records before the end are waited for, those of others are read") {
    Engine engine;
    Chain theirs(engine.acme);
    engine.append(engine.chain.next());
    engine.open();
    engine.end(0);
    engine.confirm(engine.chain.head());
    CHECK(engine.tenant.asks_for_end());
    engine.ended(1);  // the record is stored, its report has not come
    CHECK_EQ(engine.tenant.reading_from(), std::nullopt);
    CHECK(engine.answers().empty());
    engine.report(0, 0);
    CHECK_EQ(engine.answers(), Codes{done, done});

    engine.confirm(engine.chain.head());
    CHECK(engine.tenant.asks_for_end());
    engine.ended(2);  // something else stands there
    CHECK_EQ(engine.tenant.reading_from(), Offset{1});
    SUBCASE("no record of the log") {
        engine.read(1, "nothing");
        CHECK_EQ(engine.answers(), Codes{done});
    }
    SUBCASE("a record of another owner") {
        theirs.next();
        engine.read(1, theirs.next());
        CHECK_EQ(engine.answers(), Codes{Code::conflict});
    }
    CHECK_EQ(engine.tenant.reading_from(), std::nullopt);
}

TEST_CASE("an end below what was read tells that the topic lost its end") {
    Engine engine;
    engine.append(engine.chain.next());
    engine.open();
    engine.end(0);
    engine.report(0, 0);
    engine.confirm(engine.chain.head());
    CHECK(engine.tenant.asks_for_end());
    engine.ended(0);
    CHECK_EQ(engine.answers(), Codes{done, Code::unavailable});
    CHECK_EQ(engine.tenant.reading_from(), std::nullopt);  // closed: it is looked at again
}

TEST_CASE("who believes in another end is told so at once") {
    Engine engine;
    engine.append(engine.chain.next());
    engine.open();
    engine.end(0);
    engine.confirm(Head{});
    CHECK_EQ(engine.answers(), Codes{Code::conflict});
    CHECK_FALSE(engine.tenant.asks_for_end());
}

TEST_CASE("an end that cannot be learned is asked for again, and given up after a while") {
    Engine engine;
    engine.confirm(Head{});
    engine.open();
    engine.end(0);
    CHECK(engine.tenant.asks_for_end());
    engine.tenant.ended(fail(Code::unavailable, "no leader"), engine.now, engine.burst);
    CHECK(engine.answers().empty());
    CHECK(engine.tenant.asks_for_end());
    CHECK(engine.tenant.restless());
    engine.now += 11s;
    engine.tenant.tick(engine.now, engine.burst);
    CHECK_EQ(engine.answers(), Codes{Code::unavailable});
    engine.ended(0);  // nobody waits for it any more
    CHECK(engine.answers().empty());
    CHECK_FALSE(engine.tenant.restless());
}

TEST_CASE("a topic that is looked at again answers no question of before") {
    Engine engine;
    engine.append(engine.chain.next());
    engine.open();
    engine.end(0);
    engine.confirm(engine.chain.head());
    engine.tenant.drop({Code::unavailable, "broken"}, engine.now, engine.burst);
    CHECK_EQ(engine.answers(), Codes{Code::unknown, Code::unavailable});
}

TEST_CASE("a topic from which nothing comes is given up after a while") {
    Engine engine;
    engine.append(engine.chain.next());
    engine.open();
    CHECK(engine.tenant.restless());
    engine.now += 11s;
    engine.tenant.tick(engine.now, engine.burst);
    CHECK_EQ(engine.answers(), Codes{Code::unavailable});
}

TEST_CASE("a seal that is stored below what was read tells that the topic lost its end") {
    Engine engine;
    engine.append(engine.chain.next());
    engine.append(engine.chain.next());
    engine.open();
    engine.end(0);
    engine.report(0, 0);
    CHECK_EQ(engine.answers(), Codes{done});
    engine.report(1, std::nullopt);
    auto seal = std::make_shared<KafkaAppend>();
    seal->seal = true;
    engine.tenant.sealing(seal);
    engine.tenant.came_back();
    engine.tenant.reported(*seal, Offset{0}, "", engine.now, engine.burst);
    CHECK_EQ(engine.answers(), Codes{Code::unknown});
    // The topic is looked at again, which proves what it holds.
    CHECK_EQ(engine.tenant.reading_from(), std::nullopt);
    engine.now += 2s;
    engine.append(engine.chain.next());
    CHECK(engine.tenant.take_opening(engine.now).has_value());
}

TEST_CASE("a seal is a valid record without events, never before the one that it continues") {
    SeededRandom random(7);
    Chain chain(tenant("acme"));
    chain.next();
    FixedClock early(from_micros(10));
    const Timestamp last = from_micros(1'000'000);
    const std::string seal = seal_after(chain.tenant(), chain.head(), last, early, random);
    const RecordIndex index = index_of(seal).value();
    CHECK(index.continues(chain.head()));
    CHECK(index.events.empty());
    CHECK_EQ(index.link.recorded_at, last);
    CHECK(decode(seal).value().key.starts_with("log.seal:"));
    CHECK_NE(hash_of(seal), hash_of(seal_after(chain.tenant(), chain.head(), last, early, random)));
    FixedClock late(from_micros(3'000'000));
    CHECK_EQ(link_of(seal_after(chain.tenant(), chain.head(), last, late, random))->recorded_at,
             from_micros(3'000'000));
}

}  // namespace bos::eventstore
