#include "gateway/shard_table.h"

#include "gateway/peer_client.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

namespace bos::gateway {

namespace {

using std::chrono::milliseconds;
using Kind = ShardTable::Owner::Kind;

constexpr milliseconds patience{6'000};

TenantId tenant(const std::string& name) { return *TenantId::parse(name); }

/// A table of four shards, and a clock that the test moves.
struct Seat {
    ShardTable table{4, "me:1", patience};
    ShardTable::Instant now{};
    TenantId acme = tenant("acme");
    std::size_t shard = table.shard_of(acme);

    Seat() { table.alive(now); }
    [[nodiscard]] ShardTable::Owner owner() const { return table.owner_of(acme, now); }
    void assign_own() { table.assigned({shard}, now); }
};

}  // namespace

TEST_CASE("a tenant's shard is the same on every node and in every release") {
    const ShardTable table(48, "me:1", patience);
    // SHA-256("acme") begins with 822b33ad87c148a0.
    CHECK_EQ(table.shard_of(tenant("acme")), 0x822b33ad87c148a0U % 48);
    std::set<std::size_t> used;
    for (int i = 0; i < 1000; ++i) used.insert(table.shard_of(tenant("t" + std::to_string(i))));
    CHECK_EQ(used.size(), 48);
}

TEST_CASE("who was assigned a shard decides, and everybody else goes to who claimed it") {
    Seat seat;
    CHECK(seat.owner().kind == Kind::nobody);
    seat.table.claimed(seat.shard, "other:1");
    CHECK(seat.owner().kind == Kind::other);
    CHECK_EQ(seat.owner().address, "other:1");
    seat.assign_own();
    CHECK(seat.owner().kind == Kind::self);
    CHECK(seat.table.is_own(seat.acme, seat.now));
    CHECK(seat.table.unclaimed() == std::vector{seat.shard});
    seat.table.claimed(seat.shard, "me:1");
    CHECK(seat.table.unclaimed().empty());
}

TEST_CASE("a shard that was given away is nobody's until its new owner claims it") {
    Seat seat;
    seat.assign_own();
    seat.table.claimed(seat.shard, "me:1");
    seat.table.assigned({}, seat.now);
    CHECK(seat.owner().kind == Kind::nobody);
    seat.table.claimed(seat.shard, "other:1");
    CHECK_EQ(seat.owner().address, "other:1");
}

TEST_CASE("a shard that is kept keeps its term, one that comes back begins a new one") {
    Seat seat;
    seat.assign_own();
    const std::uint64_t first = seat.owner().term;
    seat.table.assigned({0, 1, 2, 3}, seat.now);
    CHECK_EQ(seat.owner().term, first);
    seat.table.assigned({}, seat.now);
    seat.assign_own();
    const std::uint64_t second = seat.owner().term;
    CHECK_GT(second, first);
    seat.table.lost();
    CHECK(seat.owner().kind == Kind::nobody);
    seat.assign_own();
    CHECK_GT(seat.owner().term, second);
}

TEST_CASE("a node that stood still has lost its shards, even before it learns that") {
    Seat seat;
    seat.assign_own();
    seat.now += patience;
    CHECK(seat.owner().kind == Kind::self);
    seat.now += milliseconds(1);
    CHECK(seat.owner().kind == Kind::nobody);
    // It runs again, and waits for the group.
    seat.table.alive(seat.now);
    CHECK(seat.owner().kind == Kind::nobody);
    seat.assign_own();
    CHECK(seat.owner().kind == Kind::self);
}

TEST_CASE("a node that leaves is asked no more") {
    Seat seat;
    seat.table.heard({.address = "other:1", .roles = {}}, seat.now);
    seat.table.heard({.address = "me:1", .roles = {}}, seat.now);
    seat.table.claimed(seat.shard, "other:1");
    REQUIRE_EQ(seat.table.peers(seat.now, patience).size(), 1);
    CHECK_EQ(seat.table.peers(seat.now, patience)[0].address, "other:1");
    CHECK(seat.table.peers(seat.now + patience + milliseconds(1), patience).empty());
    seat.table.left("other:1");
    CHECK(seat.table.peers(seat.now, patience).empty());
    CHECK(seat.owner().kind == Kind::nobody);
}

TEST_CASE("a target goes to another node as it came") {
    Request request;
    request.path = "/v1/leads/ä b/%";
    request.query.add("filter", "name eq \"A&B\" + c");
    request.query.add("limit", "3");
    CHECK_EQ(target_of(request),
             "/v1/leads/%C3%A4%20b/%25?filter=name%20eq%20%22A%26B%22%20%2B%20c&limit=3");
}

}  // namespace bos::gateway
