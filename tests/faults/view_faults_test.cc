#include "eventstore/memory_key_store.h"
#include "eventstore/memory_log.h"
#include "projections/leads/visible.h"
#include "projections/view_store.h"
#include "schemas/base/codec.h"
#include "tests/commands/machine.h"
#include "tests/eventstore/records.h"
#include "tests/faults/fault_point.h"
#include "tests/sim/disk_env.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bos::faults {

namespace {

using projections::Direction;
using projections::Generation;
using projections::ViewStore;
using projections::ViewStoreOptions;
using projections::WriteSession;

const TenantId acme = *TenantId::parse("acme");
const TenantId neighbour = *TenantId::parse("aaa");
constexpr std::uint16_t view = 1;

/// A view store on a disk in memory.
struct Machine {
    sim::Disk disk;
    commands::test::SetClock clock;
    std::unique_ptr<rocksdb::Env> env = sim::disk_env(disk, clock);
    bool ended = false;

    [[nodiscard]] ViewStoreOptions options() {
        ViewStoreOptions options;
        options.path = "/views";
        options.env = env.get();
        options.cache_bytes = 1;
        options.write_buffer_bytes = 1 << 16;
        options.wal_bytes_max = 1 << 16;
        options.file_bytes_min = 0;
        options.fatal = [this](std::string_view) { ended = true; };
        return options;
    }
    [[nodiscard]] std::unique_ptr<ViewStore> open() {
        auto opened = ViewStore::open(options());
        REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().detail));
        return *std::move(opened);
    }
};

std::string key_of(int number) { return fmt::format("row {:04}", number); }

constexpr Position past{3};

/// Rows that stay, rows that are replaced and rows that are deleted, in this order and over and
/// over; the latter in the commit after `position`.
void write_rows(WriteSession& session, Position position, int from, int to) {
    session.begin(position);
    for (int i = from; i < to; ++i) session.writer(view).put(key_of(i), std::string(300, 'a'));
    session.begin(position.next());
    for (int i = from; i < to; ++i) {
        if (i % 3 == 1) session.writer(view).put(key_of(i), std::string(300, 'b'));
        if (i % 3 == 2) session.writer(view).erase(key_of(i));
    }
    REQUIRE(session.finish().has_value());
}

void fill(ViewStore& store, int rows) {
    const Generation built = *store.start_building(acme, view, 1);
    REQUIRE(store.go_live(acme, std::span(&built, 1), Position{0}).has_value());
    auto session = store.write(acme);
    write_rows(*session, past, 0, rows);
}

/// By two files, in the place of what is live.
void build(ViewStore& store, const TenantId& tenant, int rows) {
    const Generation built = *store.start_building(tenant, view, 1);
    auto session = store.write_to(tenant, {built});
    write_rows(session, Position{1}, 0, 10);
    write_rows(session, past, 10, rows);
    REQUIRE(store.go_live(tenant, std::span(&built, 1), session.position()).has_value());
}

/// A view that was built anew while somebody read it. Its first rows stand in one file with those
/// of the generation before and with their tombstone, and the others in the next one.
void fill_anew(ViewStore& store, int rows) {
    build(store, neighbour, rows);
    fill(store, rows);
    const auto reader = store.read(acme);
    build(store, acme, rows);
    auto session = store.write(acme);
    session->begin(Position{5});
    session->writer(view).put(key_of(0), std::string(300, 'c'));
    REQUIRE(session->finish().has_value());
    REQUIRE(store.forget(neighbour).has_value());  // compacts the neighbour and what lies beside it
}

constexpr std::size_t page = 230;  // with 76 rows of the past that were deleted since

Result<std::vector<std::string>> first_page(const projections::ViewReader& reader,
                                            Direction direction) {
    std::vector<std::string> rows;
    BOS_CHECK(reader.scan(view, "", "", direction, [&](std::string_view key, std::string_view row) {
        rows.push_back(fmt::format("{}: {}", key, row));
        return rows.size() < page;
    }));
    return rows;
}

using Read = Result<std::vector<std::string>> (*)(const ViewStore&, Direction);

Result<std::vector<std::string>> page_of_today(const ViewStore& store, Direction direction) {
    BOS_TRY(const auto reader, store.read(acme));
    return first_page(reader, direction);
}

Result<std::vector<std::string>> page_of_the_past(const ViewStore& store, Direction direction) {
    BOS_TRY(const auto reader, store.read_as_of(acme, past));
    return first_page(reader, direction);
}

/// Reads the page again and again, from the files; each time another one of its reads fails. How
/// often it was refused; otherwise it is what it is on a sound disk.
std::size_t refusals(Machine& machine, Read read, Direction direction) {
    const auto expected = read(*machine.open(), direction).value();
    REQUIRE(expected.size() == page);
    std::size_t refused = 0;
    for (std::uint64_t n = 1;; ++n) {
        CAPTURE(n);
        FaultPoint point(Fault{
            .site = {.store = "views", .file = "table", .operation = sim::Disk::Operation::read},
            .ordinal = n});
        const auto store = machine.open();
        point.watch(machine.disk);
        const auto rows = read(*store, direction);
        machine.disk.watch_reads({});
        machine.disk.watch({});
        if (!point.struck()) return refused;
        if (rows) {
            CHECK(*rows == expected);
        } else {
            ++refused;
        }
    }
}

}  // namespace

TEST_CASE("a page is whole, or it is refused, whichever read fails") {
    for (const bool anew : {false, true}) {
        CAPTURE(anew);
        Machine machine;
        anew ? fill_anew(*machine.open(), 360) : fill(*machine.open(), 360);
        for (const Direction direction : {Direction::forward, Direction::backward}) {
            CHECK(refusals(machine, page_of_today, direction) > 2);
            CHECK(refusals(machine, page_of_the_past, direction) > 4);
        }
    }
}

namespace {

/// Keys of which the disk gives none at the moment.
class UnreadableKeys final : public eventstore::KeyStore {
  public:
    Result<eventstore::SubjectKey> key_for(const TenantId&, const StreamId&) override {
        return unreadable();
    }
    Result<void> sync() override { return {}; }
    Result<eventstore::SubjectKey> find(const TenantId&, const Uuid&) const override {
        return unreadable();
    }
    Result<void> destroy(const TenantId&, const StreamId&) override { return unreadable(); }
    [[nodiscard]] std::uint64_t erasures() const override { return 0; }
    Result<std::string> tenant_secret(const TenantId&) override { return unreadable(); }

  private:
    static std::unexpected<Error> unreadable() {
        return fail(Code::unavailable, "the key store cannot be read");
    }
};

}  // namespace

TEST_CASE("to a filter, a personal field that cannot be read is not one of an erased person") {
    Machine machine;
    const auto store = machine.open();
    const auto reader = store->read(acme).value();
    commands::test::SetRandom random(1);
    eventstore::MemoryKeyStore keys(random);
    UnreadableKeys no_keys;
    const eventstore::MemoryLog log;
    const std::string secret;
    const leads::LeadId lead(eventstore::test::uuid(1));
    const StreamId stream = projections::leads::stream_of(lead);
    const eventstore::FieldSealer sealer(keys, random);
    const Pii<std::string> name(Sealed{
        sealer.seal(acme, stream, "given_name", codec::plain_bytes(std::string("Ada"))).value()});
    const auto open_with = [&](const eventstore::FieldSealer& with) {
        const projections::QueryContext context{.reader = reader,
                                                .as_of = std::nullopt,
                                                .viewer = {},
                                                .sealer = with,
                                                .log = log,
                                                .secret = secret,
                                                .now = machine.clock.now()};
        return projections::leads::OpenLeadFields(context).open(lead.value(), "given_name", name);
    };
    CHECK(open_with(sealer).value() == "Ada");
    const auto unread = open_with({no_keys, random});
    REQUIRE_FALSE(unread.has_value());
    CHECK(unread.error().code == Code::unavailable);
    REQUIRE(keys.destroy(acme, stream).has_value());
    CHECK_FALSE(open_with(sealer).value().has_value());
}

TEST_CASE("views that cannot be written any more end the process, and go on after a start") {
    Machine machine;
    FaultPoint point(Fault{
        .site = {.store = "views", .file = "table", .operation = sim::Disk::Operation::sync}});
    {
        const auto store = machine.open();
        point.watch(machine.disk);
        fill(*store, 1'000);
        for (std::uint64_t position = 5; !machine.ended && position < 1'000; ++position) {
            auto session = store->write(acme);
            if (!session) break;
            session->begin(Position{position});
            for (int i = 0; i < 100; ++i)
                session->writer(view).put(key_of(i), std::string(300, 'c'));
            if (!session->finish()) break;
        }
    }
    CHECK(machine.ended);
    machine.disk.watch({});
    machine.disk.watch_reads({});
    CHECK(machine.open()->views(acme)->applied >= past.next());
}

TEST_CASE("views that are known as damaged are built anew") {
    Machine machine;
    fill(*machine.open(), 10);
    REQUIRE(rocksdb::WriteStringToFile(machine.env.get(), "a block", "/views.damaged").ok());
    ViewStoreOptions options = machine.options();
    CHECK(ViewStore::open(options).error().code == Code::corrupt);
    options.on_corruption = projections::OnCorruption::start_empty;
    for (int start = 0; start < 2; ++start) {
        const auto opened = ViewStore::open(options);
        REQUIRE(opened.has_value());
        CHECK((*opened)->views(acme)->live.size() == static_cast<std::size_t>(start));
        const Generation built = *(*opened)->start_building(acme, view, 1);
        REQUIRE((*opened)->go_live(acme, std::span(&built, 1), Position{0}).has_value());
    }
}

}  // namespace bos::faults
