#include "projections/list.h"

#include "schemas/base/digest.h"
#include "tests/projections/memory_store.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>
#include <set>

namespace bos::projections {
namespace {

struct TaskTag;
using TaskId = Id<TaskTag>;

struct TaskRow {
    static constexpr std::string_view type_name = "tests.TaskRow";
    TaskId id;
    std::int64_t score = 0;
    std::string title;
    std::optional<UserId> owner;
    std::vector<UserId> assigned;
    std::optional<Pii<std::string>> email;
    static constexpr auto fields() {
        return std::make_tuple(
            Field<TaskRow, TaskId>{"id", &TaskRow::id, 0, {}, ""},
            Field<TaskRow, std::int64_t>{"score", &TaskRow::score, 1, {}, ""},
            Field<TaskRow, std::string>{"title", &TaskRow::title, 2, {}, ""},
            Field<TaskRow, std::optional<UserId>>{"owner", &TaskRow::owner, 3, {}, ""},
            Field<TaskRow, std::vector<UserId>>{"assigned", &TaskRow::assigned, 4, {}, ""},
            Field<TaskRow, std::optional<Pii<std::string>>>{"email", &TaskRow::email, 5, {}, ""});
    }
};

struct Tasks {
    static constexpr std::uint16_t id = 31;
};

struct TaskList {
    using View = Tasks;
    using Rows = Table<Tasks, 0, TaskId, TaskRow>;
    static constexpr std::uint8_t index = 1;
    static constexpr std::string_view sorts[] = {"score", "title"};
    static void append_sort_key(KeyWriter& key, const TaskRow& row, std::size_t sort) {
        sort == 0 ? key.i64(row.score) : key.text(row.title);
    }
    static TaskId id_of(const TaskRow& row) { return row.id; }
    static RowScopes scopes_of(const TaskRow& row) { return {row.owner, row.assigned}; }
};

/// The same rows in columns, one for each title, and in one of those with a high score.
struct TaskColumns : TaskList {
    static constexpr std::uint8_t index = 2;
    static std::string column(std::string_view title) { return KeyWriter().text(title).take(); }
    static std::vector<std::string> groups_of(const TaskRow& row) {
        std::vector<std::string> groups{column(row.title)};
        if (row.score > 2) groups.push_back(column("high"));
        return groups;
    }
};
static_assert(Listed<TaskList> && !Grouped<TaskList> && Grouped<TaskColumns>);

Uuid numbered(int number) {
    Uuid id;
    id.bytes[0] = 1;
    id.bytes[15] = static_cast<std::uint8_t>(number);
    return id;
}
const UserId ada(numbered(1));
const UserId bob(numbered(2));
const UserId cyd(numbered(3));

TaskRow task(int number, std::int64_t score, std::optional<UserId> owner = {},
             std::vector<UserId> assigned = {}) {
    TaskRow row;
    row.id = TaskId(numbered(number));
    row.score = score;
    row.title = score % 2 == 0 ? "even" : "odd";
    row.owner = owner;
    row.assigned = std::move(assigned);
    return row;
}

constexpr std::string_view secret = "a secret of the tenant";

/// A store with the list's view, and commits that a test makes of lambdas.
class TaskStore {
  public:
    TaskStore() {
        make_live(*store_, acme, {Tasks::id});
        make_live(*store_, other_tenant, {Tasks::id});
    }
    template <class Change>
    void commit(Change&& change) {
        auto session = store_->write(acme);
        session->begin(session->position().next());
        ViewWriter rows = session->writer(Tasks::id);
        change(rows);
        REQUIRE(session->finish().has_value());
    }
    void put(const std::vector<TaskRow>& tasks) {
        commit([&](ViewWriter& rows) {
            for (const TaskRow& row : tasks) ListIndex<TaskList>::put(rows, row);
        });
    }
    [[nodiscard]] Result<ListPage<TaskRow>> page(const ListQuery& query) const {
        ListContext context;
        context.cursor_secret = secret;
        return List<TaskList>::page(*store_, acme, query, context);
    }
    MemoryStore& store() { return store_; }
    const ViewStore& operator*() const { return *store_; }

  private:
    MemoryStore store_;
};

ListQuery everything() {
    ListQuery query;
    query.scope = Scope::all;
    query.viewer = ada;
    return query;
}

std::vector<int> numbers(const std::vector<TaskRow>& rows) {
    std::vector<int> found;
    for (const TaskRow& row : rows) found.push_back(row.id.value().bytes[15]);
    return found;
}

/// Every page of a list, one after the other.
std::vector<int> all_pages(const TaskStore& store, ListQuery query) {
    std::vector<int> found;
    for (;;) {
        const auto page = store.page(query);
        REQUIRE(page.has_value());
        for (const int number : numbers(page->rows)) found.push_back(number);
        if (!page->next) return found;
        query.cursor = *page->next;
    }
}

bool holds(bool checked) { return checked; }

TEST_CASE("a list is in the order asked for, page by page, in either direction") {
    TaskStore store;
    store.put({task(1, 30), task(2, -10), task(3, 20), task(4, 20), task(5, 7)});
    for (const std::size_t limit : {1u, 2u, 3u, 200u}) {
        ListQuery query = everything();
        query.limit = limit;
        CHECK(all_pages(store, query) == std::vector{2, 5, 3, 4, 1});
        query.descending = true;
        CHECK(all_pages(store, query) == std::vector{1, 4, 3, 5, 2});
        query.sort = "title";
        query.descending = false;
        CHECK(all_pages(store, query) == std::vector{1, 2, 3, 4, 5});
    }
}

TEST_CASE("a full last page has no cursor") {
    TaskStore store;
    store.put({task(1, 1), task(2, 2)});
    ListQuery query = everything();
    query.limit = 2;
    CHECK(!store.page(query)->next);
    query.limit = 1;
    CHECK(store.page(query)->next);
}

TEST_CASE("a viewer sees what the scope allows, and the index follows the row") {
    TaskStore store;
    store.put({task(1, 1, ada), task(2, 2, bob, {ada}), task(3, 3, bob, {cyd}), task(4, 4)});
    ListQuery query = everything();
    const auto seen = [&](Scope scope, UserId viewer) {
        query.scope = scope;
        query.viewer = viewer;
        return all_pages(store, query);
    };
    CHECK(seen(Scope::own, ada) == std::vector{1});
    CHECK(seen(Scope::assigned, ada) == std::vector{1, 2});
    CHECK(seen(Scope::all, ada) == std::vector{1, 2, 3, 4});
    CHECK(seen(Scope::assigned, cyd) == std::vector{3});

    store.commit([](ViewWriter& rows) {
        ListIndex<TaskList>::update(rows, TaskId(numbered(1)),
                                    [](TaskRow& row) { row.owner = cyd; });
        ListIndex<TaskList>::erase(rows, TaskId(numbered(3)));
    });
    CHECK(seen(Scope::own, ada).empty());
    CHECK(seen(Scope::assigned, cyd) == std::vector{1});
    CHECK(seen(Scope::all, ada) == std::vector{1, 2, 4});
}

TEST_CASE("in scope assigned one's own stand among what one helps with") {
    TaskStore store;
    std::vector<TaskRow> tasks;
    std::vector<int> expected;
    for (int i = 1; i <= 200; ++i) {  // more than is read of a range at once
        tasks.push_back(i % 3 == 0 ? task(i, i, ada, {ada}) : task(i, i, bob, {ada, cyd}));
        expected.push_back(i);
    }
    store.put(tasks);
    ListQuery query = everything();
    query.scope = Scope::assigned;
    query.viewer = ada;
    query.count = true;
    CHECK(store.page(query)->count == ListCount{200, false});
    for (const std::size_t limit : {7u, 200u}) {
        query.limit = limit;
        query.descending = false;
        CHECK(all_pages(store, query) == expected);
        query.descending = true;
        CHECK(all_pages(store, query) == std::vector(expected.rbegin(), expected.rend()));
    }
    query.as_of = Position{1};
    CHECK(store.page(query)->count == ListCount{200, false});
}

TEST_CASE("a column of a board is a group of the list") {
    TaskStore store;
    store.commit([](ViewWriter& rows) {
        for (int i = 1; i <= 4; ++i) ListIndex<TaskColumns>::put(rows, task(i, i));
    });
    const auto in_column = [&](std::string_view title) {
        ListQuery query = everything();
        query.group = TaskColumns::column(title);
        ListContext context;
        context.cursor_secret = secret;
        return numbers(List<TaskColumns>::page(*store, acme, query, context)->rows);
    };
    CHECK(in_column("odd") == std::vector{1, 3});
    CHECK(in_column("high") == std::vector{3, 4});
    store.commit([](ViewWriter& rows) { ListIndex<TaskColumns>::put(rows, task(3, 0)); });
    CHECK(in_column("odd") == std::vector{1});
    CHECK(in_column("high") == std::vector{4});
    store.commit(
        [](ViewWriter& rows) { ListIndex<TaskColumns>::erase(rows, TaskId(numbered(4))); });
    CHECK(in_column("high").empty());
}

TEST_CASE(
    "a list ends before a sort key, in pages and counts, in either direction and in the past") {
    TaskStore store;
    store.put(
        {task(1, 30, ada), task(2, -10, ada), task(3, 20, ada), task(4, 20), task(5, 7, ada)});
    ListQuery query = everything();
    query.before = KeyWriter().i64(20).take();
    query.count = true;
    CHECK(store.page(query)->count == ListCount{2, false});
    query.limit = 1;
    CHECK(all_pages(store, query) == std::vector{2, 5});
    query.descending = true;
    CHECK(all_pages(store, query) == std::vector{5, 2});
    query.scope = Scope::own;
    query.as_of = Position{1};
    CHECK(store.page(query)->count == ListCount{2, false});
    CHECK(all_pages(store, query) == std::vector{5, 2});
    query.before = KeyWriter().i64(21).take();
    CHECK(all_pages(store, query) == std::vector{3, 5, 2});
}

TEST_CASE("a filter leaves rows out of pages and counts") {
    TaskStore store;
    std::vector<TaskRow> tasks;
    for (int i = 1; i <= 20; ++i) tasks.push_back(task(i, i, i % 2 == 0 ? ada : bob));
    store.put(tasks);
    ListQuery query = everything();
    query.filter = "owner eq me and score gt 10";
    query.limit = 2;
    query.count = true;
    CHECK(all_pages(store, query) == std::vector{12, 14, 16, 18, 20});
    CHECK(store.page(query)->count == ListCount{5, false});
}

TEST_CASE("a page looks at so many rows and no more, and goes on with the next") {
    TaskStore store;
    std::vector<TaskRow> tasks;
    for (int i = 1; i <= 20; ++i) tasks.push_back(task(i, i));
    store.put(tasks);
    ListQuery query = everything();
    query.filter = "score ge 19";
    query.count = true;
    ListContext context;
    context.cursor_secret = secret;
    context.examined_max = 6;
    context.counted_max = 6;
    std::vector<int> found;
    int pages = 0;
    for (;;) {
        const auto page = List<TaskList>::page(*store, acme, query, context);
        CHECK(page->count == ListCount{0, true});
        for (const int number : numbers(page->rows)) found.push_back(number);
        ++pages;
        if (!page->next) break;
        query.cursor = *page->next;
    }
    CHECK(found == std::vector{19, 20});
    CHECK(pages == 4);
    query = everything();
    query.count = true;
    CHECK(List<TaskList>::page(*store, acme, query, context)->count == ListCount{6, true});
}

TEST_CASE("a list as of a position stays at it from page to page") {
    TaskStore store;
    store.put({task(1, 1), task(2, 2), task(3, 3)});
    ListQuery query = everything();
    query.limit = 1;
    query.as_of = Position{1};
    const auto first = store.page(query);
    store.commit([](ViewWriter& rows) { ListIndex<TaskList>::erase(rows, TaskId(numbered(2))); });
    query.as_of.reset();
    query.cursor = *first->next;
    const auto second = store.page(query);
    CHECK(second->position == Position{1});
    CHECK(numbers(second->rows) == std::vector{2});
    query.as_of = Position{2};
    CHECK(store.page(query).error().code == Code::invalid);
    query = everything();
    query.as_of = Position{3};
    CHECK(store.page(query).error().code == Code::unavailable);
}

TEST_CASE("sealed fields are opened with the row that they stand in") {
    class Open final : public OpenPersonalOf {
      public:
        Result<std::optional<std::string>> open(const Uuid& row, std::string_view field,
                                                const Pii<std::string>&) const override {
            if (unreadable == row) return fail(Code::unavailable, "the key store cannot be read");
            return std::string(field) + std::to_string(row.bytes[15]);
        }
        Result<std::optional<std::vector<std::string>>> open(
            const Uuid&, std::string_view, const Pii<std::vector<std::string>>&) const override {
            return std::nullopt;
        }
        std::optional<Uuid> unreadable;
    };
    TaskStore store;
    std::vector<TaskRow> tasks = {task(1, 1), task(2, 2)};
    for (TaskRow& row : tasks) row.email = Pii<std::string>(Sealed{"sealed"});
    store.put(tasks);
    ListQuery query = everything();
    query.filter = R"(email eq "email2")";
    CHECK(store.page(query)->rows.empty());
    Open open;
    ListContext context;
    context.cursor_secret = secret;
    context.open = &open;
    const auto ask = [&] { return List<TaskList>::page(*store, acme, query, context); };
    CHECK(numbers(ask()->rows) == std::vector{2});

    // One that cannot be read for now may be the one that is asked for.
    open.unreadable = tasks[1].id.value();
    CHECK(ask().error().code == Code::unavailable);
    query.filter = R"(not email eq "email1")";
    CHECK(ask().error().code == Code::unavailable);
    open.unreadable.reset();
    CHECK(numbers(ask()->rows) == std::vector{2});
}

TEST_CASE("parameters that a list does not have are refused by name") {
    TaskStore store;
    ListQuery query = everything();
    query.sort = "age";
    CHECK(store.page(query).error() ==
          Error{Code::invalid, "sort: there is no order by age; there are score, title"});
    query = everything();
    query.limit = 0;
    CHECK(store.page(query).error().detail == "limit: from 1 to 200");
    query.limit = 201;
    CHECK(store.page(query).error().detail == "limit: from 1 to 200");
    query = everything();
    query.filter = "age eq 5";
    CHECK(store.page(query).error().detail.starts_with("filter, column 1: there is no field age"));
}

TEST_CASE("rows that stay where they are are seen once, in order, whatever happens between pages") {
    CHECK(holds(rc::check([] {
        TaskStore store;
        // Rows 1 to 40 may come, go and move; 101 to 120 stay.
        std::map<int, TaskRow> staying;
        ListQuery query = everything();
        query.scope = *rc::gen::element(Scope::own, Scope::assigned, Scope::all);
        for (int i = 101; i <= 120; ++i) {
            const int score = *rc::gen::inRange(0, 50);
            const bool helps = query.scope != Scope::own && *rc::gen::arbitrary<bool>();
            staying[i] = helps ? task(i, score, bob, {ada}) : task(i, score, ada, {ada});
            store.put({staying[i]});
        }
        query.descending = *rc::gen::arbitrary<bool>();
        query.limit = *rc::gen::inRange<std::size_t>(1, 7);
        query.filter = *rc::gen::element<std::string>("", "score ge 0");
        std::vector<TaskRow> seen;
        for (;;) {
            const auto page = store.page(query);
            RC_ASSERT(page.has_value());
            for (const TaskRow& row : page->rows) {
                if (row.id.value().bytes[15] > 100) seen.push_back(row);
            }
            if (!page->next) break;
            query.cursor = *page->next;
            query.limit = *rc::gen::inRange<std::size_t>(1, 7);
            store.commit([&](ViewWriter& rows) {
                const auto changes = *rc::gen::inRange(0, 6);
                for (int i = 0; i < changes; ++i) {
                    const int number = *rc::gen::inRange(1, 41);
                    if (*rc::gen::arbitrary<bool>()) {
                        const UserId owner = *rc::gen::element(ada, bob);
                        ListIndex<TaskList>::put(
                            rows, task(number, *rc::gen::inRange(0, 50), owner, {ada}));
                    } else {
                        ListIndex<TaskList>::erase(rows, TaskId(numbered(number)));
                    }
                }
            });
        }
        std::vector<TaskRow> expected;
        for (const auto& [number, row] : staying) expected.push_back(row);
        std::ranges::sort(expected, {},
                          [](const TaskRow& row) { return std::pair(row.score, row.id); });
        if (query.descending) std::ranges::reverse(expected);
        RC_ASSERT(numbers(seen) == numbers(expected));
    })));
}

/// A cursor and the query that gave it.
struct Given {
    TaskStore store;
    ListQuery query = everything();
    Given() {
        store.put({task(1, 1), task(2, 2), task(3, 3)});
        query.limit = 1;
        query.cursor = *store.page(query)->next;
        REQUIRE(store.page(query).has_value());
    }
    void refuses(std::string_view why) const {
        const auto page = store.page(query);
        REQUIRE(!page.has_value());
        CHECK(page.error().code == Code::invalid);
        INFO(page.error().detail);
        CHECK(page.error().detail.starts_with("cursor: "));
        CHECK(page.error().detail.find(why) != std::string::npos);
    }
};

TEST_CASE("a cursor is good only for the list that gave it") {
    SUBCASE("another filter") {
        Given g;
        g.query.filter = "score eq 1";
        g.refuses("another viewer, scope, group or filter");
    }
    SUBCASE("another viewer") {
        Given g;
        g.query.viewer = bob;
        g.refuses("another viewer, scope, group or filter");
    }
    SUBCASE("another scope") {
        Given g;
        g.query.scope = Scope::own;
        g.refuses("another viewer, scope, group or filter");
    }
    SUBCASE("another end") {
        Given g;
        g.query.before = KeyWriter().i64(3).take();
        g.refuses("another viewer, scope, group or filter");
    }
    SUBCASE("another sort") {
        Given g;
        g.query.sort = "title";
        g.refuses("another order");
    }
    SUBCASE("another direction") {
        Given g;
        g.query.descending = true;
        g.refuses("another order");
    }
    SUBCASE("another list") {
        Given g;
        g.query.group = KeyWriter().text("odd").take();
        ListContext context;
        context.cursor_secret = secret;
        const auto page = List<TaskColumns>::page(*g.store, acme, g.query, context);
        CHECK(page.error() == Error{Code::invalid, "cursor: it belongs to another list"});
    }
    SUBCASE("another tenant") {
        Given g;
        ListContext context;
        context.cursor_secret = secret;
        CHECK(List<TaskList>::page(*g.store, other_tenant, g.query, context).error().code ==
              Code::invalid);
    }
    SUBCASE("another limit is no other list") {
        Given g;
        g.query.limit = 7;
        CHECK(g.store.page(g.query).has_value());
    }
}

TEST_CASE("an altered cursor is refused, whichever bit it is") {
    const Given g;
    std::string bytes;
    REQUIRE(from_base64url(g.query.cursor, bytes));
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        std::string changed = bytes;
        changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
        CHECK(!read_cursor(to_base64url(changed), acme, secret).has_value());
        if (bit % 97 == 0) {
            Given altered;
            altered.query.cursor = to_base64url(changed);
            altered.refuses("not one that this server gave out");
        }
    }
    for (const std::string_view text : {"x", "=", "AAAA", "not a cursor"}) {
        CHECK(read_cursor(text, acme, secret).error().code == Code::invalid);
    }
    CHECK(read_cursor(std::string(5000, 'A'), acme, secret).error().code == Code::invalid);
    CHECK(read_cursor(g.query.cursor, acme, "another secret").error().code == Code::invalid);
}

TEST_CASE("a cursor reads back as it was written") {
    CHECK(holds(rc::check([] {
        Cursor cursor;
        cursor.view = *rc::gen::arbitrary<std::uint16_t>();
        cursor.sort = *rc::gen::arbitrary<std::uint8_t>();
        cursor.direction = *rc::gen::element(Direction::forward, Direction::backward);
        cursor.is_as_of = *rc::gen::arbitrary<bool>();
        cursor.position = Position{*rc::gen::arbitrary<std::uint64_t>()};
        cursor.index_key = *rc::gen::arbitrary<std::string>();
        RC_ASSERT(read_cursor(to_text(cursor, acme, secret), acme, secret).value() == cursor);
    })));
}

}  // namespace
}  // namespace bos::projections
