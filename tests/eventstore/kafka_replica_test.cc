#include "eventstore/kafka_replica.h"

#include "tests/eventstore/answers.h"
#include "tests/eventstore/faulty_env.h"
#include "tests/eventstore/records.h"
#include "tests/eventstore/temp_folder.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <thread>
#include <tuple>

namespace bos::eventstore {

namespace {

using namespace test;

/// Records of one tenant, the n-th of which stands at offset 2n in its topic.
class Filler {
  public:
    explicit Filler(std::string_view name) : chain_(tenant(name)) {}

    /// As many records in one write; they stay in memory alone.
    Result<void> add(KafkaReplica& replica, std::size_t count) {
        std::vector<IndexedRecord> records;
        for (std::size_t i = 0; i < count; ++i) {
            std::string bytes = chain_.next();
            RecordIndex index = index_of(bytes).value();
            records.push_back({.bytes = std::move(bytes), .index = std::move(index)});
        }
        const Origin origin{.tenant = &chain_.tenant(),
                            .position = chain_.head().position,
                            .offset = offset_of(chain_.head().position)};
        return replica.write(std::vector<RecordView>(records.begin(), records.end()), {&origin, 1});
    }
    /// And then they are in the tables.
    Result<void> fill(KafkaReplica& replica, std::size_t count) {
        BOS_CHECK(add(replica, count));
        return replica.settle();
    }
    /// Goes on where the replica ends.
    void go_back_to(const Head& head) { chain_ = Chain(chain_.tenant(), head); }

    [[nodiscard]] const Chain& chain() const { return chain_; }
    static Offset offset_of(Position position) {
        return Offset{static_cast<std::int64_t>(2 * position.value)};
    }

  private:
    Chain chain_;
};

// Records of these tests have some 350 bytes: small writes become batches, and bulks files.
constexpr std::size_t small_write = 3;
constexpr std::size_t bulk_write = 20;
constexpr std::size_t file_bytes = 5'000;
constexpr std::size_t portion_bytes = 10'000;

struct Node {
    Result<std::unique_ptr<KafkaReplica>> open() {
        KafkaReplicaOptions options{.path = folder / "replica", .env = disk.env()};
        options.bulk_entries = 30;
        options.file_bytes = file_bytes;
        // Portions end when they are full, and when somebody waits for them.
        options.held = {.portion_bytes = portion_bytes, .held = std::chrono::hours(1)};
        options.fatal = [](std::string_view) {};
        return KafkaReplica::open(options);
    }
    TempFolder folder;
    FaultyDisk disk;
};

/// Its offset is that of its last record, and none is missing before it. Returns its end.
Head check_sound(const KafkaReplica& replica, const TenantId& tenant) {
    const auto end = replica.end(tenant);
    REQUIRE_MESSAGE(end.has_value(), (end ? "" : end.error().detail));
    if (end->head.position.value > 0) {
        CHECK_EQ(end->offset, Filler::offset_of(end->head.position));
    }
    std::uint64_t seen = 0;
    Hash last;
    const auto visit = [&](Position, std::string_view record) {
        ++seen;
        last = hash_of(record);
        return true;
    };
    const auto scanned = replica.tables().scan(tenant, Position{1}, end->head.position, visit);
    CHECK(scanned.has_value());
    CHECK_EQ(seen, end->head.position.value);
    CHECK_EQ(last, end->head.hash);
    return end->head;
}

}  // namespace

TEST_CASE("a replica's offset is that of its last record, whatever a loss of power takes") {
    Node node;
    Filler filler("acme");
    std::uint64_t lost = 0;
    for (int round = 0; round < 24; ++round) {
        INFO(round);
        auto replica = node.open();
        REQUIRE_MESSAGE(replica.has_value(), (replica ? "" : replica.error().detail));
        const Head end = check_sound(**replica, filler.chain().tenant());
        lost += filler.chain().head().position.value - end.position.value;
        filler.go_back_to(end);
        // Rounds with small writes only, with bulks only, and with both, in which either is last.
        for (int i = 0; i < 20; ++i) {
            const bool bulk = (round / 2 + i) % (1 + round % 4) == 1 || round % 8 == 7;
            const std::size_t count = bulk ? bulk_write : small_write;
            const bool alone = i % 5 == 4;  // some of it goes with what comes next
            REQUIRE((alone ? filler.add(**replica, count) : filler.fill(**replica, count)));
        }
        if (round % 3 == 0) REQUIRE(filler.add(**replica, small_write).has_value());
        node.disk.cut_power();
        replica->reset();
        node.disk.restore_power();
    }
    CHECK_GT(lost, 0);  // or the test shows nothing
}

TEST_CASE("a bulk is there after a loss of power, with all before it") {
    Node node;
    Filler acme("acme");
    Filler other("other");
    {
        const auto replica = node.open().value();
        REQUIRE(other.fill(*replica, small_write).has_value());
        REQUIRE(acme.fill(*replica, small_write).has_value());
        REQUIRE(acme.fill(*replica, bulk_write).has_value());
        node.disk.cut_power();
    }
    node.disk.restore_power();
    const auto replica = node.open().value();
    for (const Filler* each : {&acme, &other})
        CHECK_EQ(check_sound(*replica, each->chain().tenant()), each->chain().head());
}

TEST_CASE("a bulk that breaks off leaves a replica that opens, knows its offset and goes on") {
    using Operation = FaultyDisk::Operation;
    struct Step {
        Operation operation;
        std::string_view in;  ///< the path of
    };
    // Rows, the file's end, and what makes it a part of the database. A log that fails ends the
    // process at once, and RocksDB asserts that it is not used after that.
    const std::vector<Step> steps = {{Operation::append, ".bulk"},
                                     {Operation::sync, ".bulk"},
                                     {Operation::append, "MANIFEST"},
                                     {Operation::sync, "MANIFEST"}};
    const std::vector<std::vector<std::size_t>> earlier = {
        {}, {bulk_write}, {bulk_write, small_write}};
    for (const std::vector<std::size_t>& writes : earlier) {
        for (const Step& step : steps) {
            CAPTURE(writes.size());
            CAPTURE(step.in);
            Node node;
            Filler filler("acme");
            auto replica = node.open().value();
            for (const std::size_t count : writes)
                REQUIRE(filler.fill(*replica, count).has_value());
            const Head before = filler.chain().head();
            bool failed = false;
            node.disk.on_operation([&](Operation operation, const std::string& path) {
                if (operation != step.operation || !path.contains(step.in))
                    return FaultyDisk::Outcome::ok;
                failed = true;
                return FaultyDisk::Outcome::io_error;
            });
            CHECK_FALSE(filler.fill(*replica, bulk_write).has_value());
            CHECK(failed);
            replica.reset();
            node.disk.heal();
            replica = node.open().value();
            const Head end = check_sound(*replica, filler.chain().tenant());
            CHECK((end == before || end == filler.chain().head()));
            filler.go_back_to(end);
            REQUIRE(filler.fill(*replica, bulk_write + 1).has_value());
            REQUIRE(filler.fill(*replica, small_write).has_value());
            CHECK_EQ(check_sound(*replica, filler.chain().tenant()), filler.chain().head());
        }
    }
}

TEST_CASE("what met a full disk is found, and written when there is room") {
    for (const std::size_t count : {small_write, bulk_write}) {
        CAPTURE(count);
        Node node;
        Filler filler("acme");
        Filler other("other");
        auto replica = node.open().value();
        REQUIRE(filler.fill(*replica, small_write).has_value());
        node.disk.on_operation([](FaultyDisk::Operation operation, const std::string&) {
            return operation == FaultyDisk::Operation::append ? FaultyDisk::Outcome::no_space
                                                              : FaultyDisk::Outcome::ok;
        });
        CHECK_EQ(code(filler.fill(*replica, count)), Code::full);
        REQUIRE(other.add(*replica, small_write).has_value());  // behind it, in memory
        const auto check_all = [&] {
            CHECK_EQ(check_sound(*replica, filler.chain().tenant()), filler.chain().head());
            CHECK_EQ(check_sound(*replica, other.chain().tenant()), other.chain().head());
        };
        check_all();
        node.disk.heal();
        REQUIRE(replica->make_room(0).has_value());
        check_all();
        REQUIRE(filler.fill(*replica, bulk_write).has_value());
        check_all();
        replica.reset();
        replica = node.open().value();
        check_all();
    }
}

TEST_CASE("memory is bounded while the disk is full: what is refused was not added") {
    Node node;
    Filler filler("acme");
    auto replica = node.open().value();
    node.disk.on_operation([](FaultyDisk::Operation operation, const std::string&) {
        return operation == FaultyDisk::Operation::append ? FaultyDisk::Outcome::no_space
                                                          : FaultyDisk::Outcome::ok;
    });
    CHECK_EQ(code(filler.fill(*replica, small_write)), Code::full);
    Head added = filler.chain().head();
    constexpr int far_beyond = 20 * portion_bytes / file_bytes;
    int refused = 0;
    for (int i = 0; i < far_beyond && refused == 0; ++i) {
        const auto outcome = filler.add(*replica, bulk_write);
        if (outcome) {
            added = filler.chain().head();
        } else {
            CHECK_EQ(outcome.error().code, Code::full);
            ++refused;
        }
    }
    CHECK_EQ(refused, 1);
    CHECK_EQ(check_sound(*replica, filler.chain().tenant()), added);
    node.disk.heal();
    filler.go_back_to(added);
    REQUIRE(replica->make_room(0).has_value());
    REQUIRE(filler.fill(*replica, bulk_write).has_value());
    CHECK_EQ(check_sound(*replica, filler.chain().tenant()), filler.chain().head());
}

TEST_CASE("a disk that is full now and then takes nothing away") {
    for (unsigned seed = 1; seed <= 4; ++seed) {
        CAPTURE(seed);
        Node node;
        Filler filler("acme");
        auto replica = node.open().value();
        std::minstd_rand random(seed);
        std::atomic<bool> full = false;
        node.disk.on_operation([&full](FaultyDisk::Operation operation, const std::string&) {
            return full && operation == FaultyDisk::Operation::append
                       ? FaultyDisk::Outcome::no_space
                       : FaultyDisk::Outcome::ok;
        });
        for (int turn = 0; turn < 200; ++turn) {
            if (random() % 8 == 0) full = !full;
            // As the engine does: it adds nothing when there is no room.
            if (!replica->make_room(0)) continue;
            const Head before = filler.chain().head();
            const std::size_t count = random() % 4 == 0 ? bulk_write : small_write;
            if (!filler.add(*replica, count)) filler.go_back_to(before);
            if (random() % 16 == 0) std::ignore = replica->settle();
            if (random() % 16 == 0)
                CHECK_EQ(check_sound(*replica, filler.chain().tenant()), filler.chain().head());
        }
        full = false;
        node.disk.heal();
        REQUIRE(replica->make_room(0).has_value());
        REQUIRE(replica->settle().has_value());
        CHECK_EQ(check_sound(*replica, filler.chain().tenant()), filler.chain().head());
        replica.reset();
        replica = node.open().value();
        CHECK_EQ(check_sound(*replica, filler.chain().tenant()), filler.chain().head());
    }
}

TEST_CASE("what is in memory alone is found as what is in the tables") {
    Node node;
    Filler acme("acme");
    Filler other("other");
    const auto replica = node.open().value();
    const auto check_all = [&] {
        for (const Filler* each : {&acme, &other}) {
            const TenantId& tenant = each->chain().tenant();
            CHECK_EQ(check_sound(*replica, tenant), each->chain().head());
            for (const std::uint64_t position : {1U, 4U, 40U}) {
                const auto record = replica->tables().read(tenant, Position{position});
                REQUIRE(record.has_value());
                CHECK_EQ(link_of(*record)->position, Position{position});
                const auto found = replica->tables().find_key(tenant, decode(*record)->key);
                REQUIRE(found.has_value());
                CHECK_EQ(*found, Position{position});
            }
        }
        CHECK_EQ(replica->tables().tenants()->size(), 2);
    };
    // Some portions are full and written meanwhile, some wait, one grows.
    for (int i = 0; i < 20; ++i) {
        REQUIRE(acme.add(*replica, small_write).has_value());
        REQUIRE(other.add(*replica, small_write - 1).has_value());
    }
    check_all();
    REQUIRE(replica->settle().has_value());
    CHECK_EQ(replica->tables().end()->sequence, 20 * (2 * small_write - 1));
    check_all();
}

TEST_CASE("what is in memory alone is written when its time is over") {
    const TempFolder folder;
    KafkaReplicaOptions options{.path = folder / "replica"};
    options.held.held = std::chrono::milliseconds(1);
    Filler filler("acme");
    const auto replica = KafkaReplica::open(options).value();
    REQUIRE(filler.add(*replica, small_write).has_value());
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (replica->tables().end()->sequence < small_write) {
        REQUIRE(std::chrono::steady_clock::now() < until);
        std::this_thread::yield();
    }
    CHECK_EQ(check_sound(*replica, filler.chain().tenant()), filler.chain().head());
}

TEST_CASE("a replica that was closed has all of it, and knows its cluster") {
    Node node;
    Filler acme("acme");
    Filler other("other");
    {
        const auto replica = node.open().value();
        REQUIRE(replica->set_cluster_id("cluster-1").has_value());
        for (int i = 0; i < 30; ++i) {
            REQUIRE(acme.add(*replica, 5).has_value());
            REQUIRE(other.add(*replica, 1).has_value());
        }
    }
    const auto replica = node.open().value();
    CHECK_EQ(replica->cluster_id().value(), "cluster-1");
    for (const Filler* each : {&acme, &other}) {
        const auto end = replica->end(each->chain().tenant()).value();
        CHECK_EQ(end.head, each->chain().head());
        CHECK_EQ(end.offset, Filler::offset_of(end.head.position));
    }
}

}  // namespace bos::eventstore
