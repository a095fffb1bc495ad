#include "eventstore/kafka_replica.h"

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
        std::vector<const IndexedRecord*> pointers;
        for (const IndexedRecord& record : records) pointers.push_back(&record);
        const KafkaReplica::Origin origin{.tenant = &chain_.tenant(),
                                          .offset = offset_of(chain_.head().position)};
        return replica.write(pointers, {&origin, 1});
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

struct Node {
    Result<std::unique_ptr<KafkaReplica>> open() {
        KafkaReplicaOptions options{.path = folder / "replica", .env = disk.env()};
        options.bulk_entries = 30;
        options.fatal = [](std::string_view) {};
        return KafkaReplica::open(options);
    }
    TempFolder folder;
    FaultyDisk disk;
};

}  // namespace

TEST_CASE("a replica's offset is that of its last record, whatever a loss of power takes") {
    Node node;
    Filler filler("acme");
    std::uint64_t lost = 0;
    for (int round = 0; round < 12; ++round) {
        INFO(round);
        auto replica = node.open();
        REQUIRE_MESSAGE(replica.has_value(), (replica ? "" : replica.error().detail));
        const auto end = (*replica)->end(filler.chain().tenant());
        REQUIRE_MESSAGE(end.has_value(), (end ? "" : end.error().detail));
        if (end->head.position.value > 0) {
            CHECK_EQ(end->offset, Filler::offset_of(end->head.position));
            CHECK((*replica)->tables().read(filler.chain().tenant(), end->head.position));
        }
        const auto none_missing = [&](Position, std::string_view) { return true; };
        CHECK((*replica)
                  ->tables()
                  .scan(filler.chain().tenant(), Position{1}, end->head.position, none_missing)
                  .has_value());
        lost += filler.chain().head().position.value - end->head.position.value;
        filler.go_back_to(end->head);
        for (int i = 0; i < 20; ++i) REQUIRE(filler.fill(**replica, 3).has_value());
        node.disk.cut_power();
        replica->reset();
        node.disk.restore_power();
    }
    CHECK_GT(lost, 0);  // or the test shows nothing
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
