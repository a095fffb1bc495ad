#include "eventstore/kafka_replica.h"

#include "tests/eventstore/answers.h"
#include "tests/eventstore/faulty_env.h"
#include "tests/eventstore/records.h"
#include "tests/eventstore/temp_folder.h"

#include <doctest/doctest.h>

namespace bos::eventstore {

namespace {

using namespace test;

/// Records of one tenant, the n-th of which stands at offset 2n in its topic.
class Filler {
  public:
    explicit Filler(std::string_view name) : chain_(tenant(name)) {}

    Result<void> fill(KafkaReplica& replica, std::size_t count) {
        std::vector<IndexedRecord> records;
        for (std::size_t i = 0; i < count; ++i) {
            std::string bytes = chain_.next();
            RecordIndex index = index_of(bytes).value();
            records.push_back({.bytes = std::move(bytes), .index = std::move(index)});
        }
        const KafkaReplica::Origin origin{.tenant = &chain_.tenant(),
                                          .position = chain_.head().position,
                                          .offset = offset_of(chain_.head().position)};
        return replica.write(std::vector<RecordView>(records.begin(), records.end()), {&origin, 1});
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

// Records of these tests have some 350 bytes.
constexpr std::size_t small_write = 3;
constexpr std::size_t bulk_write = 20;

struct Node {
    Result<std::unique_ptr<KafkaReplica>> open() {
        KafkaReplicaOptions options{.path = folder / "replica", .env = disk.env()};
        options.bulk_entries = 30;
        options.bulk_bytes = 5'000;
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
            REQUIRE(filler.fill(**replica, bulk ? bulk_write : small_write).has_value());
        }
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
    for (const bool is_first : {true, false}) {
        for (const Step& step : steps) {
            CAPTURE(is_first);
            CAPTURE(step.in);
            Node node;
            Filler filler("acme");
            auto replica = node.open().value();
            if (!is_first) {
                REQUIRE(filler.fill(*replica, bulk_write).has_value());
                REQUIRE(filler.fill(*replica, small_write).has_value());
            }
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

TEST_CASE("a bulk that met a full disk is written when there is room") {
    Node node;
    Filler filler("acme");
    const auto replica = node.open().value();
    REQUIRE(filler.fill(*replica, small_write).has_value());
    const Head before = filler.chain().head();
    node.disk.on_operation([](FaultyDisk::Operation operation, const std::string& path) {
        return operation == FaultyDisk::Operation::append && path.contains(".bulk")
                   ? FaultyDisk::Outcome::no_space
                   : FaultyDisk::Outcome::ok;
    });
    CHECK_EQ(code(filler.fill(*replica, bulk_write)), Code::full);
    node.disk.heal();
    REQUIRE(replica->make_room(0).has_value());
    CHECK_EQ(check_sound(*replica, filler.chain().tenant()), before);
    filler.go_back_to(before);
    REQUIRE(filler.fill(*replica, bulk_write).has_value());
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
            REQUIRE(acme.fill(*replica, 5).has_value());
            REQUIRE(other.fill(*replica, 1).has_value());
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
