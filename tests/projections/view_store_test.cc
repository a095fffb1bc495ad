#include "projections/view_store.h"

#include "projections/view_changes.h"
#include "tests/projections/memory_store.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>
#include <utility>

namespace bos::projections {
namespace {

using Rows = std::map<std::string, std::string>;
constexpr std::uint16_t board = 7;
constexpr std::uint16_t agenda = 8;

struct Write {
    std::string key;
    std::optional<std::string> row;  // none = erase
};
using Writes = std::vector<Write>;

std::string key_of(int number) {
    return KeyWriter().u8(0).text(std::string(1, char('a' + number))).take();
}

rc::Gen<Write> any_write() {
    // Ranges shrink with the size that a container of few elements has: to one value here.
    return rc::gen::map(
        rc::gen::resize(
            rc::kNominalSize,
            rc::gen::tuple(rc::gen::inRange(0, 8), rc::gen::inRange(0, 3), rc::gen::inRange(0, 4))),
        [](const std::tuple<int, int, int>& drawn) {
            const auto [key, erase, row] = drawn;
            return Write{key_of(key),
                         erase == 0 ? std::nullopt
                                    : std::optional(std::string(static_cast<std::size_t>(row) * 5,
                                                                char('0' + row)))};
        });
}

rc::Gen<std::vector<Writes>> any_history() {
    return rc::gen::container<std::vector<Writes>>(
        rc::gen::resize(6, rc::gen::container<Writes>(any_write())));
}

void apply(const Writes& writes, Rows& rows) {
    for (const Write& write : writes) {
        if (write.row) {
            rows[write.key] = *write.row;
        } else {
            rows.erase(write.key);
        }
    }
}

void apply(const Writes& writes, ViewWriter rows) {
    for (const Write& write : writes) {
        if (write.row) {
            rows.put(write.key, *write.row);
        } else {
            rows.erase(write.key);
        }
    }
}

Rows rows_of(const ViewReader& reader, std::uint16_t view) {
    Rows rows;
    REQUIRE(reader
                .scan(view, {}, {}, Direction::forward,
                      [&](std::string_view key, std::string_view row) {
                          if (!rows.empty()) RC_ASSERT(rows.rbegin()->first < key);
                          rows.emplace(key, row);
                          return true;
                      })
                .has_value());
    return rows;
}

Rows rows_backward(const ViewReader& reader, std::uint16_t view, std::string_view from,
                   std::string_view to) {
    Rows rows;
    REQUIRE(reader
                .scan(view, from, to, Direction::backward,
                      [&](std::string_view key, std::string_view row) {
                          if (!rows.empty()) RC_ASSERT(rows.begin()->first > key);
                          rows.emplace(key, row);
                          return true;
                      })
                .has_value());
    return rows;
}

void check_reader(const ViewReader& reader, const Rows& model) {
    RC_ASSERT(rows_of(reader, board) == model);
    RC_ASSERT(rows_backward(reader, board, {}, {}) == model);
    const std::string from = key_of(2);
    const std::string to = key_of(6);
    RC_ASSERT(rows_backward(reader, board, from, to) ==
              Rows(model.lower_bound(from), model.lower_bound(to)));
    for (int number = 0; number < 9; ++number) {
        std::string row;
        const auto found = model.find(key_of(number));
        RC_ASSERT(reader.get(board, key_of(number), row).value() == (found != model.end()));
        if (found != model.end()) RC_ASSERT(row == found->second);
    }
}

/// Writes the commits, finishing after every `batch` of them and forgetting what was cached as
/// told.
void write_all(ViewStore& store, const std::vector<Writes>& commits, std::size_t batch,
               bool keep_cache) {
    make_live(store, acme, {board});
    auto session = store.write(acme);
    REQUIRE(session.has_value());
    for (std::size_t i = 0; i < commits.size(); ++i) {
        session->begin(Position{i + 1});
        apply(commits[i], session->writer(board));
        if ((i + 1) % batch != 0) continue;
        REQUIRE(session->finish().has_value());
        if (!keep_cache) session->drop_cache();
    }
    REQUIRE(session->finish().has_value());
}

bool holds(bool checked) { return checked; }

TEST_CASE("rows read at every position as a map per position says") {
    CHECK(holds(rc::check([] {
        const auto commits = *any_history();
        const auto batch = *rc::gen::inRange<std::size_t>(1, 5);
        const auto keep_cache = *rc::gen::arbitrary<bool>();
        MemoryStore store;
        write_all(*store, commits, batch, keep_cache);
        if (*rc::gen::arbitrary<bool>()) store.reopen();

        Rows model;
        check_reader(*store->read_as_of(acme, Position{0}), model);
        for (std::size_t i = 0; i < commits.size(); ++i) {
            apply(commits[i], model);
            const auto reader = store->read_as_of(acme, Position{i + 1});
            RC_ASSERT(reader->position() == Position{i + 1});
            check_reader(*reader, model);
        }
        check_reader(*store->read(acme), model);
    })));
}

TEST_CASE("the hash of a view does not depend on how commits were batched") {
    CHECK(holds(rc::check([] {
        const auto commits = *any_history();
        MemoryStore one_by_one;
        write_all(*one_by_one, commits, 1, false);
        MemoryStore batched;
        write_all(*batched, commits, *rc::gen::inRange<std::size_t>(2, 9),
                  *rc::gen::arbitrary<bool>());
        RC_ASSERT(one_by_one->hash(acme, board).value() == batched->hash(acme, board).value());
    })));
}

TEST_CASE("a row without a past is as it is now, and leaves nothing behind") {
    using RowNow = std::optional<std::string>;
    CHECK(holds(rc::check([] {
        const auto changes =
            *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 4));  // 0: erased
        const bool drops_cache = *rc::gen::arbitrary<bool>();
        MemoryStore changed;
        make_live(*changed, acme, {board});
        auto session = changed->write(acme);
        RowNow model;
        for (std::size_t i = 0; i < changes.size(); ++i) {
            session->begin(Position{i + 1});
            ViewWriter rows = session->writer(board);
            const RowNow wanted =
                changes[i] > 0 ? RowNow(std::to_string(changes[i])) : std::nullopt;
            wanted ? rows.put("key", *wanted, Past::none) : rows.erase("key", Past::none);
            model = wanted;
            const auto seen = rows.get("key", Past::none);
            RC_ASSERT(RowNow(seen) == model);
            if (i % 2 == 0) RC_ASSERT(session->finish().has_value());
            if (i % 2 == 0 && drops_cache) session->drop_cache();
        }
        RC_ASSERT(session->finish().has_value());
        std::string past;
        RC_ASSERT(!*changed->read_as_of(acme, Position{changes.size()})->get(board, "key", past));
        RC_ASSERT(rows_of(*changed->read_as_of(acme, Position{changes.size()}), board).empty());
        MemoryStore written_once;
        make_live(*written_once, acme, {board});
        auto once = written_once->write(acme);
        if (model) {
            once->begin(Position{1});
            once->writer(board).put("key", *model, Past::none);
        }
        RC_ASSERT(once->finish().has_value());
        RC_ASSERT(changed->hash(acme, board).value() == written_once->hash(acme, board).value());
    })));
}

TEST_CASE("a session reads and scans what it wrote itself") {
    CHECK(holds(rc::check([] {
        const auto before = *any_history();
        const auto after = *any_history();
        MemoryStore store;
        write_all(*store, before, 2, false);
        Rows model;
        for (const Writes& writes : before) apply(writes, model);

        auto session = store->write(acme);
        for (std::size_t i = 0; i < after.size(); ++i) {
            session->begin(Position{before.size() + i + 1});
            ViewWriter rows = session->writer(board);
            apply(after[i], rows);
            apply(after[i], model);
            Rows seen;
            rows.scan({}, {}, [&](std::string_view key, std::string_view row) {
                RC_ASSERT(seen.emplace(key, row).second);
                return true;
            });
            RC_ASSERT(seen == model);
            for (int number = 0; number < 9; ++number) {
                const auto found = model.find(key_of(number));
                const auto row = rows.get(key_of(number));
                RC_ASSERT(row.has_value() == (found != model.end()));
                if (row) RC_ASSERT(*row == found->second);
            }
        }
        RC_ASSERT(session->finish().has_value());
    })));
}

TEST_CASE("a scan of the past finds every version, whichever of many files has it") {
    // Filters of files let one in a hundred keys pass that the file does not have. A look for a row
    // that came later then ends in the file with few rows, far behind those of the other one.
    constexpr std::uint32_t rows = 20'000;
    const auto key = [](std::uint32_t number) { return KeyWriter().u32(number).take(); };
    const auto sparse = [](std::uint32_t number) { return number % 100 == 0; };
    const auto dense = [](std::uint32_t number) { return number % 2 == 1; };
    const auto later = [&](std::uint32_t number) { return !sparse(number) && !dense(number); };
    MemoryStore store;
    make_live(*store, acme, {board});
    std::uint64_t position = 0;
    const auto put = [&](const std::string& row, const auto& is_wanted) {
        auto session = store->write(acme);
        session->begin(Position{++position});
        for (std::uint32_t number = 0; number < rows; ++number) {
            if (is_wanted(number)) session->writer(board).put(key(number), row);
        }
        REQUIRE(session->finish());
        session = fail(Code::unavailable, "closed");
        store.reopen();  // to a file of its own
    };
    put("first", [&](std::uint32_t number) { return !later(number); });
    put("second", sparse);
    put("second", dense);
    put("second", later);
    for (const Direction direction : {Direction::forward, Direction::backward}) {
        const auto reader = store->read_as_of(acme, Position{1});
        std::size_t found = 0;
        REQUIRE(reader
                    ->scan(board, {}, {}, direction,
                           [&](std::string_view, std::string_view row) {
                               found += row == "first";
                               return true;
                           })
                    .has_value());
        CHECK(found == rows / 2 + rows / 100);
    }
}

TEST_CASE("a scan of the past is whole, however many of its rows were deleted since") {
    // Graves are looked at in pieces of 64, 128 and so on, with the rows that stand between them.
    constexpr std::uint32_t count = 400;
    const auto key = [](std::uint32_t number) { return KeyWriter().u32(number).take(); };
    for (const std::uint32_t deleted : {1U, 63U, 64U, 65U, 191U, 192U, 193U, 399U, count}) {
        for (const std::uint32_t apart : {1U, count / deleted}) {
            CAPTURE(deleted);
            CAPTURE(apart);
            MemoryStore store;
            make_live(*store, acme, {board});
            auto session = store->write(acme);
            Rows then;
            session->begin(Position{1});
            for (std::uint32_t i = 0; i < count; ++i) {
                then[key(10 * i)] = std::to_string(i);
                session->writer(board).put(key(10 * i), then[key(10 * i)]);
            }
            session->begin(Position{2});
            for (std::uint32_t i = 0; i < deleted; ++i)
                session->writer(board).erase(key(10 * i * apart));
            session->begin(Position{3});
            for (std::uint32_t i = 0; i < count; ++i)
                session->writer(board).put(key(10 * i + 5), "later");
            REQUIRE(session->finish().has_value());

            const auto reader = store->read_as_of(acme, Position{1}).value();
            CHECK(rows_of(reader, board) == then);
            CHECK(rows_backward(reader, board, {}, {}) == then);
            CHECK(rows_backward(reader, board, key(95), key(2805)) ==
                  Rows(then.lower_bound(key(95)), then.lower_bound(key(2805))));
        }
    }
}

TEST_CASE("a reader keeps its cut while others write, rebuild and clear") {
    MemoryStore store;
    write_all(*store, {{{key_of(1), "old"}}}, 1, false);
    const auto reader = store->read(acme);

    auto session = store->write(acme);
    session->begin(Position{2});
    session->writer(board).put(key_of(1), "new");
    REQUIRE(session->finish());
    const auto built = store->start_building(acme, board, 2);
    REQUIRE(store->go_live(acme, std::span(&*built, 1), Position{2}));

    CHECK(reader->position() == Position{1});
    CHECK(rows_of(*reader, board) == Rows{{key_of(1), "old"}});
    CHECK(rows_of(*store->read(acme), board).empty());
    REQUIRE(store->clear(acme, board));
    CHECK(rows_of(*reader, board) == Rows{{key_of(1), "old"}});
}

TEST_CASE("a generation being built is not read before it goes live") {
    MemoryStore store;
    write_all(*store, {{{key_of(1), "live"}}}, 1, false);
    const auto built = store->start_building(acme, board, 2);
    auto session = store->write_to(acme, {*built});
    session.begin(Position{1});
    session.writer(board).put(key_of(1), "built");
    REQUIRE(session.finish());

    CHECK(rows_of(*store->read(acme), board) == Rows{{key_of(1), "live"}});
    CHECK(store->views(acme)->building == std::vector{*built});
    REQUIRE(store->go_live(acme, std::span(&*built, 1), Position{1}));
    CHECK(rows_of(*store->read(acme), board) == Rows{{key_of(1), "built"}});
    CHECK(store->views(acme)->building.empty());
}

TEST_CASE("what was read is the same for as long as nothing was settled since") {
    MemoryStore store;
    write_all(*store, {{{key_of(1), "row"}}}, 1, false);
    std::optional<std::uint64_t> seen = store->settled(acme);
    const auto is_new = [&] {
        const auto now = store->settled(acme);
        REQUIRE(now.has_value());
        return std::exchange(seen, now) != now;
    };

    auto session = store->write(acme);
    session->begin(Position{2});
    session->writer(board).put(key_of(1), "new");
    CHECK_FALSE(is_new());
    REQUIRE(session->finish());
    CHECK(is_new());

    const auto built = store->start_building(acme, board, 2);
    auto building = store->write_to(acme, {*built});
    building.begin(Position{1});
    building.writer(board).put(key_of(1), "built");
    REQUIRE(building.finish());
    make_live(*store, other_tenant, {board});
    CHECK_FALSE(is_new());
    REQUIRE(store->go_live(acme, std::span(&*built, 1), Position{2}));
    CHECK(is_new());
    REQUIRE(store->clear(acme, board));
    CHECK(is_new());
    REQUIRE(store->forget(acme));
    CHECK(is_new());
}

TEST_CASE("nothing is settled while a change is under way") {
    ViewChanges changes;
    CHECK(changes.settled(acme) == 0);
    {
        const ViewChanges::Change first(changes, acme);
        CHECK_FALSE(changes.settled(acme));
        CHECK(changes.settled(other_tenant) == 0);
        {
            const ViewChanges::Change second(changes, acme);
        }
        CHECK_FALSE(changes.settled(acme));
    }
    CHECK(changes.settled(acme) == 2);
}

TEST_CASE("an unfinished generation leaves nothing behind") {
    MemoryStore store;
    make_live(*store, acme, {board});
    const auto before = store->hash(acme, board);
    const auto built = store->start_building(acme, board, 2);
    auto session = store->write_to(acme, {*built});
    session.begin(Position{1});
    session.writer(board).put(key_of(1), "built");
    REQUIRE(session.finish());
    store.reopen();
    REQUIRE(store->drop_unfinished(acme));
    CHECK(store->views(acme)->building.empty());
    CHECK(store->hash(acme, board) == before);
}

TEST_CASE("the past that has not come yet is refused") {
    MemoryStore store;
    write_all(*store, {{{key_of(1), "row"}}}, 1, false);
    const auto reader = store->read_as_of(acme, Position{2});
    REQUIRE(!reader.has_value());
    CHECK(reader.error().code == Code::unavailable);
}

TEST_CASE("a view that was never built is unavailable, not empty") {
    MemoryStore store;
    make_live(*store, acme, {board});
    std::string row;
    CHECK(store->read(acme)->get(agenda, "key", row).error().code == Code::unavailable);
}

TEST_CASE("views and tenants do not see each other") {
    MemoryStore store;
    make_live(*store, acme, {board, agenda});
    make_live(*store, other_tenant, {board});
    auto session = store->write(acme);
    session->begin(Position{1});
    session->writer(board).put(key_of(1), "board");
    session->writer(agenda).put(key_of(1), "agenda");
    REQUIRE(session->finish());
    const auto reader = store->read(acme);
    CHECK(rows_of(*reader, board) == Rows{{key_of(1), "board"}});
    CHECK(rows_of(*reader, agenda) == Rows{{key_of(1), "agenda"}});
    CHECK(rows_of(*store->read(other_tenant), board).empty());
    CHECK(store->read(other_tenant)->position() == Position{0});
}

TEST_CASE("forgetting a tenant leaves the others alone") {
    MemoryStore store;
    for (const TenantId& tenant : {acme, other_tenant}) {
        make_live(*store, tenant, {board});
        auto session = store->write(tenant);
        session->begin(Position{1});
        session->writer(board).put(key_of(1), "row");
        REQUIRE(session->finish());
    }
    REQUIRE(store->forget(acme));
    CHECK(store->views(acme)->live.empty());
    CHECK(rows_of(*store->read(other_tenant), board) == Rows{{key_of(1), "row"}});
    write_all(*store, {{{key_of(2), "again"}}}, 1, false);
    CHECK(rows_of(*store->read(acme), board) == Rows{{key_of(2), "again"}});
}

TEST_CASE("what a reader still holds of a forgotten tenant is not in its new views") {
    MemoryStore store;
    write_all(*store, {{{key_of(1), "before"}}}, 1, false);
    const auto before = store->read(acme);
    REQUIRE(store->forget(acme));
    write_all(*store, {{{key_of(2), "again"}}}, 1, false);
    CHECK(rows_of(*store->read(acme), board) == Rows{{key_of(2), "again"}});
    CHECK(rows_of(*before, board) == Rows{{key_of(1), "before"}});
}

TEST_CASE("an error in a session is kept and nothing is written") {
    MemoryStore store;
    make_live(*store, acme, {board});
    auto session = store->write(acme);
    session->begin(Position{1});
    session->writer(board).put(key_of(1), "row");
    session->writer(board).fail(Error{Code::corrupt, "no such lead"});
    CHECK(session->finish().error() == Error{Code::corrupt, "no such lead"});
    CHECK(rows_of(*store->read(acme), board).empty());
}

TEST_CASE("damaged files are refused, or replaced by an empty store when the caller says so") {
    MemoryStore store;
    make_live(*store, acme, {board});
    store.close();
    std::vector<std::string> files;
    REQUIRE(store.env()->GetChildren("/views", &files).ok());
    for (const std::string& file : files) {
        if (file.starts_with("MANIFEST")) REQUIRE(store.env()->Truncate("/views/" + file, 10).ok());
    }
    ViewStoreOptions options = store.options();
    CHECK(ViewStore::open(options).error().code == Code::corrupt);
    options.on_corruption = OnCorruption::start_empty;
    const auto opened = ViewStore::open(options);
    REQUIRE(opened.has_value());
    CHECK((*opened)->views(acme)->live.empty());
}

}  // namespace
}  // namespace bos::projections
