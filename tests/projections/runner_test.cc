#include "projections/runner.h"

#include "tests/projections/cards.h"
#include "tests/projections/memory_store.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <atomic>
#include <thread>

namespace bos::projections {
namespace {

using namespace cards;

/// A store, a log and a runner of both test views.
struct Fixture {
    MemoryStore store;
    CardLog log{acme};
    NoKeys keys;
    SystemRandom random;
    eventstore::FieldSealer sealer{keys, random};
    Runner runner{*store, ViewSet(types<Board, Total>{}), sealer};
};

struct NewBoard : Board {
    static constexpr std::uint32_t version = 2;
};

struct Throwing {
    static constexpr std::uint16_t id = 93;
    static constexpr std::string_view name = "cards.throwing";
    static constexpr std::uint32_t version = 1;
    using Handles = types<CardMoved>;
    void apply(const CardMoved&, const EventContext&, ViewWriter&) const {
        throw std::runtime_error("no");
    }
};

static_assert(View<Board> && View<Total>);
static_assert(!AppliesEvent<Total, CardMoved>);

bool holds(bool checked) { return checked; }

TEST_CASE("live, caught up, rebuilt and rebuilt in parallel give the same hash") {
    CHECK(holds(rc::check([] {
        Fixture live;
        REQUIRE(live.runner.open(acme, live.log.log()));
        const auto commits =
            *rc::gen::container<std::vector<std::vector<eventstore::RecordedEvent>>>(any_events());
        for (const auto& events : commits) {
            const eventstore::Commit commit = live.log.append(events);
            RC_ASSERT(live.runner.project(acme, std::span(&commit, 1)).has_value());
        }
        const auto hashes = live.runner.hash(acme).value();

        MemoryStore empty;
        Runner late(*empty, ViewSet(types<Board, Total>{}), live.sealer, {.build_bytes_max = 4000});
        RC_ASSERT(late.open(acme, live.log.log()).value() == live.log.position());
        RC_ASSERT(late.hash(acme).value() == hashes);

        RC_ASSERT(live.runner.rebuild(acme, live.log.log()).has_value());
        RC_ASSERT(live.runner.hash(acme).value() == hashes);
        RC_ASSERT(live.runner.rebuild(acme, live.log.log(), {.threads = 2}).has_value());
        RC_ASSERT(live.runner.hash(acme).value() == hashes);
    })));
}

TEST_CASE("commits that do not follow are refused and leave nothing behind") {
    Fixture f;
    REQUIRE(f.runner.open(acme, f.log.log()));
    const auto first = f.log.append({recorded(card_id(1), CardMade{"one", 1})});
    const auto second = f.log.append({recorded(card_id(2), CardMade{"two", 2})});
    CHECK(f.runner.project(acme, std::span(&second, 1)).error().code == Code::conflict);
    REQUIRE(f.runner.project(acme, std::span(&first, 1)));
    CHECK(f.runner.project(acme, std::span(&first, 1)).error().code == Code::conflict);
    CHECK(f.runner.catch_up(acme, f.log.log()).value() == Position{2});
    CHECK(f.store->read(acme)->position() == Position{2});
}

TEST_CASE("tenants share what is kept in memory, and rows that were dropped are read again") {
    Fixture f;
    CardLog other(other_tenant);
    Runner tight(*f.store, ViewSet(types<Board, Total>{}), f.sealer,
                 {.live_cache_bytes_max = 1500});
    REQUIRE(tight.open(acme, f.log.log()));
    REQUIRE(tight.open(other_tenant, other.log()));
    for (unsigned i = 1; i <= 40; ++i) {
        const int points = static_cast<int>(i);
        const auto first = f.log.append({recorded(card_id(i % 7), CardMade{"one", points})});
        REQUIRE(tight.project(acme, std::span(&first, 1)));
        const auto second = other.append({recorded(card_id(i % 5), CardMade{"two", points})});
        REQUIRE(tight.project(other_tenant, std::span(&second, 1)));
    }
    for (const auto& [tenant, log] : {std::pair(acme, &f.log), std::pair(other_tenant, &other)}) {
        const auto live = tight.hash(tenant).value();
        REQUIRE(tight.rebuild(tenant, log->log()));
        CHECK(tight.hash(tenant).value() == live);
    }
}

TEST_CASE("a tenant that was not opened is unavailable") {
    Fixture f;
    const auto commit = f.log.append({recorded(card_id(1), CardMade{"one", 1})});
    CHECK(f.runner.project(acme, std::span(&commit, 1)).error().code == Code::unavailable);
}

TEST_CASE("reads see every view at the same position") {
    Fixture f;
    REQUIRE(f.runner.open(acme, f.log.log()));
    for (int i = 1; i <= 3; ++i) {
        const auto commit = f.log.append({recorded(card_id(1), CardMade{"one", i})});
        REQUIRE(f.runner.project(acme, std::span(&commit, 1)));
    }
    const auto reader = f.store->read_as_of(acme, Position{2});
    CHECK(Board::Rows::get(*reader, card_id(1)).value()->points == 2);
    CHECK(Total::Rows::get(*reader, "points").value()->points == 3);
}

TEST_CASE(
    "a view of another version is rebuilt when it is opened, a view that is gone is dropped") {
    Fixture f;
    f.log.append({recorded(card_id(1), CardMade{"one", 1})});
    REQUIRE(f.runner.open(acme, f.log.log()));
    const auto old_hash = f.store->hash(acme, Board::id);

    Runner next(*f.store, ViewSet(types<NewBoard>{}), f.sealer);
    CHECK(f.store->views(acme)->live.size() == 2);
    REQUIRE(next.open(acme, f.log.log()));
    const auto views = f.store->views(acme);
    REQUIRE(views->live.size() == 1);
    CHECK(views->live[0].version == 2);
    CHECK(f.store->hash(acme, Board::id) == old_hash);
}

TEST_CASE("a rebuild left by a crash is dropped and views open again where they were") {
    Fixture f;
    f.log.append({recorded(card_id(1), CardMade{"one", 1})});
    REQUIRE(f.runner.open(acme, f.log.log()));
    const auto hashes = f.runner.hash(acme).value();
    REQUIRE(f.store->start_building(acme, Board::id, 1));
    f.store.reopen();
    Runner again(*f.store, ViewSet(types<Board, Total>{}), f.sealer);
    CHECK(again.open(acme, f.log.log()).value() == Position{1});
    CHECK(f.store->views(acme)->building.empty());
    CHECK(again.hash(acme).value() == hashes);
}

TEST_CASE("views that are ahead of the log are another log's") {
    Fixture f;
    f.log.append({recorded(card_id(1), CardMade{"one", 1})});
    REQUIRE(f.runner.open(acme, f.log.log()));
    const CardLog shorter(acme);
    CHECK(f.runner.open(acme, shorter.log()).error().code == Code::corrupt);
}

TEST_CASE("views that are ahead of a replica stay until it has passed them") {
    Fixture f;
    CardLog replica(acme);
    const auto both = [&](const eventstore::RecordedEvent& event) {
        std::ignore = f.log.append({event});
        return replica.append({event});
    };
    both(recorded(card_id(1), CardMade{"one", 1}));
    std::ignore = f.log.append({recorded(card_id(2), CardMade{"two", 2})});
    REQUIRE(f.runner.open(acme, f.log.log()));
    const auto hashes = f.runner.hash(acme).value();

    Runner again(*f.store, ViewSet(types<Board, Total>{}), f.sealer);
    const auto open = [&] { return again.open(acme, replica.log(), {}, LogEnd::may_follow); };
    CHECK(open().value() == Position{2});
    CHECK(again.catch_up(acme, replica.log()).value() == Position{2});
    CHECK(again.hash(acme).value() == hashes);
    // The rest of it is read.
    std::ignore = replica.append({recorded(card_id(2), CardMade{"two", 2})});
    both(recorded(card_id(1), CardMoved{Stage::done}));
    CHECK(again.catch_up(acme, replica.log()).value() == Position{3});
    REQUIRE(f.runner.rebuild(acme, f.log.log()).has_value());
    CHECK(again.hash(acme).value() == f.runner.hash(acme).value());

    // Views of another version have to be built from what is there.
    Runner newer(*f.store, ViewSet(types<NewBoard, Total>{}), f.sealer);
    const CardLog shorter(acme);
    CHECK(newer.open(acme, shorter.log(), {}, LogEnd::may_follow).error().code == Code::corrupt);
}

TEST_CASE(
    "a view that throws or an event that does not decode stops the projection, not the process") {
    Fixture f;
    Runner throwing(*f.store, ViewSet(types<Throwing, Board>{}), f.sealer);
    REQUIRE(throwing.open(acme, f.log.log()));
    auto broken = recorded(card_id(1), CardMade{"one", 1});
    broken.payload = "not a FlatBuffer";
    const auto first = f.log.append({broken});
    CHECK(throwing.project(acme, std::span(&first, 1)).error().code == Code::corrupt);
    CHECK(
        throwing.rebuild(acme, f.log.log()).has_value());  // nothing applied yet: nothing to build

    CardLog moved(acme);
    const auto move = moved.append({recorded(card_id(1), CardMoved{Stage::done})});
    CHECK(throwing.project(acme, std::span(&move, 1)).error().code == Code::unavailable);
    CHECK(f.store->read(acme)->position() == Position{0});
}

TEST_CASE("a rebuild runs while commits are projected and readers read") {
    Fixture f;
    REQUIRE(f.runner.open(acme, f.log.log()));
    std::vector<eventstore::Commit> commits;
    for (std::uint64_t i = 0; i < 3000; ++i) {
        commits.push_back(f.log.append({recorded(card_id(i % 50), CardMade{std::to_string(i), 1}),
                                        recorded(card_id(i % 50), CardMoved{Stage::doing})}));
    }
    REQUIRE(f.runner.project(acme, std::span(commits).first(1500)));

    std::atomic<bool> failed = false;
    std::jthread live([&] {
        for (std::size_t i = 1500; i < commits.size(); ++i) {
            if (!f.runner.project(acme, std::span(&commits[i], 1))) failed = true;
        }
    });
    std::jthread reading([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            const auto reader = f.store->read(acme);
            const auto total = Total::Rows::get(*reader, "points");
            if (!total || !*total ||
                (*total)->points != static_cast<std::int64_t>(reader->position().value)) {
                failed = true;
            }
        }
    });
    for (const unsigned threads : {1u, 2u, 3u}) {
        CHECK(f.runner.rebuild(acme, f.log.log(), {.threads = threads}).has_value());
    }
    live.join();
    reading.request_stop();
    reading.join();
    CHECK(!failed);

    MemoryStore fresh;
    Runner late(*fresh, ViewSet(types<Board, Total>{}), f.sealer);
    REQUIRE(late.open(acme, f.log.log()));
    CHECK(late.hash(acme).value() == f.runner.hash(acme).value());
    CHECK(f.store->views(acme)->building.empty());
}

TEST_CASE("a rebuild says how far it is") {
    Fixture f;
    REQUIRE(f.runner.open(acme, f.log.log()));
    for (std::uint64_t i = 0; i < 600; ++i)
        f.log.append({recorded(card_id(i), CardMade{"card", 1})});
    REQUIRE(f.runner.catch_up(acme, f.log.log()));
    std::vector<std::uint64_t> seen;
    const auto note = [&](Position done, Position all) {
        CHECK(all == Position{600});
        seen.push_back(done.value);
    };
    REQUIRE(f.runner.rebuild(acme, f.log.log(), {.views = {Board::id}, .progress = note}));
    CHECK(std::ranges::is_sorted(seen));
    CHECK(seen.back() == 600);
}

}  // namespace
}  // namespace bos::projections
