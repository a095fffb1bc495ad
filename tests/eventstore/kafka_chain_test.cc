#include "eventstore/kafka_chain.h"

#include "schemas/base/digest.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <rapidcheck.h>

#include <map>
#include <set>
#include <string>

namespace bos::eventstore {

namespace {

using Step = KafkaChain::Step;
using Steps = KafkaChain::Steps;
using Record = std::optional<ChainLink>;  ///< none: bytes that are no record

/// A record after `head`; what is in it is told apart by `name`.
ChainLink after(const Head& head, const std::string& name) {
    return {.position = head.position.next(), .previous_hash = head.hash, .hash = sha256(name)};
}

struct EmptyTopic {
    KafkaChain chain{Head{}, std::nullopt, Offset{0}};
    Steps steps;

    ChainLink send(const std::string& name) {
        const ChainLink link = after(chain.end(), name);
        chain.sent(link);
        return link;
    }
    Steps take() { return std::exchange(steps, {}); }
};

}  // namespace

TEST_CASE("a delivery at the next offset decides an append without reading") {
    EmptyTopic topic;
    const ChainLink first = topic.send("first");
    const ChainLink second = topic.send("second");
    CHECK(topic.chain.delivered(Offset{0}, first, topic.steps));
    CHECK_EQ(topic.take(), Steps{Step::own_valid});
    CHECK(topic.chain.delivered(Offset{1}, second, topic.steps));
    CHECK_EQ(topic.take(), Steps{Step::own_valid});
    CHECK_EQ(topic.chain.head(), second.head());
    CHECK_EQ(topic.chain.head_offset(), Offset{1});
    CHECK_EQ(topic.chain.open(), 0);
    CHECK_FALSE(topic.chain.gap());
}

TEST_CASE("reports in another order than their offsets are folded in the order of offsets") {
    EmptyTopic topic;
    const ChainLink first = topic.send("first");
    const ChainLink second = topic.send("second");
    CHECK(topic.chain.delivered(Offset{1}, second, topic.steps));
    CHECK_EQ(topic.take(), Steps{});
    CHECK_EQ(topic.chain.gap(), Offset{1});
    CHECK(topic.chain.delivered(Offset{0}, first, topic.steps));
    CHECK_EQ(topic.take(), Steps{Step::own_valid, Step::own_valid});
}

TEST_CASE("a gap with nothing valid in it leaves the append valid") {
    EmptyTopic topic;
    const ChainLink ours = topic.send("ours");
    CHECK(topic.chain.delivered(Offset{2}, ours, topic.steps));
    CHECK_EQ(topic.chain.gap(), Offset{2});
    CHECK(topic.chain.read(Offset{0}, std::nullopt, topic.steps));
    const ChainLink stray = after(Head{.position = Position{6}, .hash = {}}, "stray");
    CHECK(topic.chain.read(Offset{1}, stray, topic.steps));
    CHECK_EQ(topic.take(), Steps{Step::own_valid});
    CHECK_EQ(topic.chain.ignored(), 2);
    CHECK_EQ(topic.chain.next(), Offset{3});
}

TEST_CASE("another owner's valid record before ours makes ours dead, and all chained on it") {
    EmptyTopic topic;
    const ChainLink theirs = after(Head{}, "theirs");
    const ChainLink first = topic.send("first");
    const ChainLink second = topic.send("second");
    CHECK(topic.chain.delivered(Offset{1}, first, topic.steps));
    CHECK(topic.chain.read(Offset{0}, theirs, topic.steps));
    CHECK_EQ(topic.take(), Steps{Step::read_valid, Step::own_dead, Step::own_dead});
    CHECK_EQ(topic.chain.end(), theirs.head());
    // The second is still on its way; it lands as a record that nobody takes.
    CHECK(topic.chain.delivered(Offset{2}, second, topic.steps));
    CHECK_EQ(topic.take(), Steps{});
    CHECK_EQ(topic.chain.next(), Offset{3});
    const ChainLink third = topic.send("third");
    CHECK(topic.chain.delivered(Offset{3}, third, topic.steps));
    CHECK_EQ(topic.take(), Steps{Step::own_valid});
}

TEST_CASE("an append that was read back is decided before its report comes") {
    EmptyTopic topic;
    const ChainLink first = topic.send("first");
    const ChainLink second = topic.send("second");
    CHECK(topic.chain.delivered(Offset{2}, second, topic.steps));
    CHECK(topic.chain.read(Offset{0}, first, topic.steps));
    CHECK_EQ(topic.take(), Steps{Step::own_valid});
    // A duplicate by the producer: stale.
    CHECK(topic.chain.read(Offset{1}, first, topic.steps));
    CHECK_EQ(topic.take(), Steps{Step::own_valid});
    CHECK(topic.chain.delivered(Offset{0}, first, topic.steps));
    CHECK_EQ(topic.take(), Steps{});
    CHECK_EQ(topic.chain.ignored(), 1);
}

TEST_CASE("a lost report decides nothing until the position is taken") {
    EmptyTopic topic;
    const ChainLink ours = topic.send("ours");
    topic.chain.lost();
    CHECK(topic.chain.unsettled());
    CHECK(topic.chain.in_doubt());

    SUBCASE("by the append itself, which had been stored") {
        CHECK(topic.chain.read(Offset{0}, ours, topic.steps));
        CHECK_EQ(topic.take(), Steps{Step::own_valid});
    }
    SUBCASE("by another record, after which the append is stale wherever it turns up") {
        const ChainLink seal = after(topic.chain.head(), "seal");
        CHECK(topic.chain.read(Offset{0}, seal, topic.steps));
        CHECK_EQ(topic.take(), Steps{Step::read_valid, Step::own_dead});
        CHECK(topic.chain.read(Offset{1}, ours, topic.steps));
        CHECK_EQ(topic.take(), Steps{});
        CHECK_EQ(topic.chain.head(), seal.head());
    }
    CHECK_FALSE(topic.chain.in_doubt());
    CHECK_FALSE(topic.chain.unsettled());
}

TEST_CASE("what is stored after a lost append is in doubt with it, also when it was delivered") {
    EmptyTopic topic;
    const ChainLink first = topic.send("first");
    const ChainLink second = topic.send("second");
    topic.chain.lost();
    CHECK_FALSE(topic.chain.in_doubt());  // the second is still under way
    CHECK(topic.chain.delivered(Offset{0}, second, topic.steps));
    CHECK(topic.chain.in_doubt());
    SUBCASE("the first turns up, and a copy of the second after it") {
        CHECK(topic.chain.read(Offset{1}, first, topic.steps));
        CHECK_EQ(topic.take(), Steps{Step::own_valid});
        CHECK(topic.chain.in_doubt());
        CHECK(topic.chain.read(Offset{2}, second, topic.steps));
        CHECK_EQ(topic.take(), Steps{Step::own_valid});
    }
    SUBCASE("a seal ends both") {
        CHECK(topic.chain.read(Offset{1}, after(topic.chain.head(), "seal"), topic.steps));
        CHECK_EQ(topic.take(), Steps{Step::read_valid, Step::own_dead, Step::own_dead});
    }
    CHECK_FALSE(topic.chain.in_doubt());
}

TEST_CASE("a refused append is answered in its turn") {
    EmptyTopic topic;
    topic.chain.refused(topic.steps);
    CHECK_EQ(topic.take(), Steps{Step::own_refused});
    const ChainLink first = topic.send("first");
    topic.chain.refused(topic.steps);
    const ChainLink second = topic.send("second");
    topic.chain.refused(topic.steps);
    CHECK_EQ(topic.take(), Steps{});
    CHECK_EQ(topic.chain.open(), 4);
    SUBCASE("when those before it are valid") {
        CHECK(topic.chain.delivered(Offset{0}, first, topic.steps));
        CHECK_EQ(topic.take(), Steps{Step::own_valid, Step::own_refused});
        CHECK(topic.chain.delivered(Offset{1}, second, topic.steps));
        CHECK_EQ(topic.take(), Steps{Step::own_valid, Step::own_refused});
    }
    SUBCASE("when those before it are dead") {
        CHECK(topic.chain.read(Offset{0}, after(Head{}, "theirs"), topic.steps));
        CHECK_EQ(topic.take(), Steps{Step::read_valid, Step::own_dead, Step::own_refused,
                                     Step::own_dead, Step::own_refused});
    }
}

TEST_CASE("a topic that contradicts what it was is noticed") {
    EmptyTopic topic;
    for (int i = 0; i < 3; ++i) {
        const ChainLink link = topic.send(fmt::format("record {}", i));
        REQUIRE(topic.chain.delivered(Offset{i}, link, topic.steps));
    }
    topic.take();
    const ChainLink ours = topic.send("ours");
    SUBCASE("an offset goes back") {
        CHECK_FALSE(topic.chain.delivered(Offset{0}, ours, topic.steps));
    }
    SUBCASE("nothing stands where ours was stored") {
        CHECK(topic.chain.delivered(Offset{4}, ours, topic.steps));
        CHECK_FALSE(topic.chain.read(Offset{5}, std::nullopt, topic.steps));
    }
    SUBCASE("the topic ends before ours") {
        CHECK(topic.chain.delivered(Offset{4}, ours, topic.steps));
        CHECK(topic.chain.read_to(Offset{4}, topic.steps));
        CHECK_EQ(topic.take(), Steps{Step::own_valid});
    }
    SUBCASE("the topic ends after ours and the reader saw nothing") {
        CHECK(topic.chain.delivered(Offset{4}, ours, topic.steps));
        CHECK_FALSE(topic.chain.read_to(Offset{5}, topic.steps));
    }
    SUBCASE("something else stands where ours was stored") {
        CHECK(topic.chain.delivered(Offset{4}, ours, topic.steps));
        CHECK(topic.chain.read(Offset{3}, std::nullopt, topic.steps));
        CHECK_EQ(topic.take(), Steps{Step::own_valid});
        const ChainLink next = topic.send("next");
        CHECK(topic.chain.delivered(Offset{6}, next, topic.steps));
        CHECK_FALSE(topic.chain.read(Offset{6}, std::nullopt, topic.steps));
    }
}

namespace {

/// A topic with one partition, and what is on its way to it: copies that arrive at any time, in any
/// order, more than once. Nothing that was stored goes.
struct Partition {
    std::vector<Record> records;

    std::vector<ChainLink> valid() const {
        std::vector<ChainLink> chain;
        Head head;
        for (const Record& record : records) {
            if (!record || !record->continues(head)) continue;
            head = record->head();
            chain.push_back(*record);
        }
        return chain;
    }
};

/// An owner as the engine is one, over a network of the worst kind.
class Owner {
  public:
    Owner(Partition& partition, std::string name) : partition_(partition), name_(std::move(name)) {}

    void append() {
        if (chain_.unsettled()) return;
        const ChainLink link = after(chain_.end(), fmt::format("{} {}", name_, ++count_));
        chain_.sent(link);
        open_.push_back(link);
        on_the_way_.push_back({.link = link, .awaited = true});
    }
    void refuse() {
        open_.push_back(std::nullopt);
        Steps steps;
        chain_.refused(steps);
        follow(steps, std::nullopt);
    }
    /// A message reaches the topic. It may stay on its way, too: a retry, a duplicate.
    void arrive(std::size_t which, bool stays) {
        if (on_the_way_.empty()) return;
        Message& message = on_the_way_[which % on_the_way_.size()];
        const Offset offset{static_cast<std::int64_t>(partition_.records.size())};
        partition_.records.emplace_back(message.link);
        if (message.awaited) reports_.push_back({message.link, offset});
        message.awaited = false;
        if (!stays) on_the_way_.erase(on_the_way_.begin() + index_of(message));
    }
    /// The producer gives a message up: no report, while copies may still arrive.
    void give_up(std::size_t which) {
        if (on_the_way_.empty()) return;
        Message& message = on_the_way_[which % on_the_way_.size()];
        if (std::exchange(message.awaited, false)) chain_.lost();
    }
    /// A report comes, or is lost.
    void report(std::size_t which, bool comes) {
        if (reports_.empty()) return;
        const auto report = reports_.begin() + static_cast<std::ptrdiff_t>(which % reports_.size());
        const auto [link, offset] = *report;
        reports_.erase(report);
        if (!comes) return chain_.lost();
        Steps steps;
        // False is an honest "read all again" here: the topic was not exchanged.
        if (!chain_.delivered(offset, link, steps)) start_again();
        follow(steps, std::nullopt);
    }
    /// Reads one record where the engine would: into a gap.
    void read_gap() {
        if (chain_.gap()) read_next();
    }
    /// What the engine does until nothing is open.
    void settle(bool report_comes) {
        while (chain_.open() > 0) {
            while (!reports_.empty()) report(0, report_comes);
            for (std::size_t i = 0; i < on_the_way_.size(); ++i) give_up(i);
            while (chain_.gap()) read_next();
            if (chain_.in_doubt()) seal();
        }
    }
    void arrive_all() {
        while (!on_the_way_.empty()) arrive(on_the_way_.size() - 1, false);
    }

    void check() const {
        const std::vector<ChainLink> valid = partition_.valid();
        std::set<Hash> hashes;
        for (const ChainLink& link : valid) hashes.insert(link.hash);
        for (const Hash& hash : answered_valid_) RC_ASSERT(hashes.contains(hash));
        for (const Hash& hash : answered_dead_) RC_ASSERT(!hashes.contains(hash));
        RC_ASSERT(replica_.size() <= valid.size());
        for (std::size_t i = 0; i < replica_.size(); ++i) RC_ASSERT(replica_[i] == valid[i].hash);
    }

  private:
    struct Message {
        ChainLink link;
        bool awaited;
    };

    std::ptrdiff_t index_of(const Message& message) const { return &message - on_the_way_.data(); }

    void read_next() {
        const Offset at = chain_.next();
        const Record record = partition_.records[static_cast<std::size_t>(at.value)];
        Steps steps;
        RC_ASSERT(chain_.read(at, record, steps));
        follow(steps, record);
    }
    /// The seal itself is lost and stored late at times.
    void seal() {
        const ChainLink link = after(chain_.head(), fmt::format("{} seal {}", name_, ++count_));
        if (count_ % 3 == 0) {
            on_the_way_.push_back({.link = link, .awaited = false});
            return;
        }
        partition_.records.emplace_back(link);
        while (chain_.next().value < static_cast<std::int64_t>(partition_.records.size())) {
            read_next();
        }
    }
    /// The engine answers `unknown` and reads the topic anew.
    void start_again() {
        open_.clear();
        reports_.clear();
        for (Message& message : on_the_way_) message.awaited = false;
        chain_ = KafkaChain(chain_.head(), chain_.head_offset(),
                            chain_.head_offset() ? chain_.head_offset()->next() : Offset{0});
        while (chain_.next().value < static_cast<std::int64_t>(partition_.records.size())) {
            read_next();
        }
    }
    void follow(const Steps& steps, const Record& record) {
        for (const Step step : steps) {
            if (step == Step::read_valid) {
                replica_.push_back(record.value().hash);
                continue;
            }
            const Record oldest = open_.front();
            open_.pop_front();
            RC_ASSERT((step == Step::own_refused) == !oldest.has_value());
            if (step == Step::own_valid) {
                replica_.push_back(oldest->hash);
                answered_valid_.push_back(oldest->hash);
            }
            if (step == Step::own_dead) answered_dead_.push_back(oldest->hash);
        }
        RC_ASSERT(open_.size() == chain_.open());
    }

    Partition& partition_;
    const std::string name_;
    KafkaChain chain_{Head{}, std::nullopt, Offset{0}};
    std::deque<Record> open_;
    std::vector<Message> on_the_way_;
    std::vector<std::pair<ChainLink, Offset>> reports_;
    std::vector<Hash> replica_;
    std::vector<Hash> answered_valid_;
    std::vector<Hash> answered_dead_;
    int count_ = 0;
};

}  // namespace

TEST_CASE("two owners, lost reports, duplicates and late copies never make an answer wrong") {
    const bool held = rc::check("answers agree with what every reader sees", [] {
        Partition partition;
        Owner owners[2] = {{partition, "a"}, {partition, "b"}};
        constexpr int longest = 400;
        const auto actions =
            *rc::gen::resize(longest, rc::gen::container<std::vector<std::uint32_t>>(
                                          rc::gen::inRange<std::uint32_t>(0, 1U << 16)));
        for (const std::uint32_t action : actions) {
            Owner& owner = owners[action & 1];
            const std::uint32_t which = action >> 8;
            switch ((action >> 1) & 15) {
                case 0:
                case 1:
                case 2:
                case 3:
                    owner.append();
                    break;
                case 4:
                case 5:
                case 6:
                    owner.arrive(which, false);
                    break;
                case 7:
                    owner.arrive(0, which % 2 == 0);
                    break;
                case 8:
                    owner.give_up(which);
                    break;
                case 9:
                case 10:
                    owner.report(which, true);
                    break;
                case 11:
                    owner.report(0, which % 4 != 0);
                    break;
                case 12:
                case 13:
                    owner.read_gap();
                    break;
                case 14:
                    owner.refuse();
                    break;
                default:
                    partition.records.emplace_back(std::nullopt);
            }
            for (const Owner& each : owners) each.check();
        }
        for (Owner& owner : owners) owner.settle(actions.size() % 2 == 0);
        for (Owner& owner : owners) owner.arrive_all();
        for (const Owner& owner : owners) owner.check();
    });
    CHECK(held);
}

}  // namespace bos::eventstore
