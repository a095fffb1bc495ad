#pragma once

#include "projections/cursor.h"
#include "projections/filter.h"
#include "projections/list_index.h"
#include "projections/view_store.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bos::projections {

/// What a client asks of a list. With a cursor, everything but `limit` must be as it was for the
/// page that gave it.
struct ListQuery {
    Scope scope = Scope::own;
    UserId viewer;
    std::string sort = {};  ///< empty = the list's first
    bool descending = false;
    std::string filter = {};  ///< grammar: filter.h
    std::size_t limit = 50;   ///< 1 to 200
    std::string cursor = {};  ///< empty = from the start
    std::optional<Position> as_of = {};
    bool count = false;
    std::string group = {};  ///< as the list's groups_of gives them; only lists that have groups
    /// Sort key, as the list's append_sort_key writes it: only what sorts below it.
    std::string before = {};
};

/// Opens sealed fields of a row for its filter: as OpenPersonal, and told which row it is. None =
/// erased. Errors: those of the key store; the list is refused then, for a row whose fields cannot
/// be read is not one that does not match.
class OpenPersonalOf {
  public:
    virtual ~OpenPersonalOf() = default;
    [[nodiscard]] virtual Result<std::optional<std::string>> open(
        const Uuid& row, std::string_view field, const Pii<std::string>& value) const = 0;
    [[nodiscard]] virtual Result<std::optional<std::vector<std::string>>> open(
        const Uuid& row, std::string_view field,
        const Pii<std::vector<std::string>>& value) const = 0;
};

/// What a list needs besides the query.
struct ListContext {
    std::string_view cursor_secret;        ///< KeyStore::tenant_secret
    Timestamp now;                         ///< for `within`
    const OpenPersonalOf* open = nullptr;  ///< none = filters on sealed fields match nothing
    /// Rows that one page may look at. A page whose filter lets few rows pass then comes back
    /// short, or empty, but with a cursor.
    std::size_t examined_max = 10'000;
    /// A count goes no further, whether in rows counted or in rows looked at.
    std::size_t counted_max = 10'000;
};

struct ListCount {
    std::uint64_t value = 0;
    bool capped = false;  ///< there may be more

    friend bool operator==(const ListCount&, const ListCount&) = default;
};

template <class Row>
struct ListPage {
    std::vector<Row> rows;
    std::optional<std::string> next;  ///< cursor of the next page; none = this is the last one
    Position position;                ///< that the page shows
    std::optional<ListCount> count;   ///< if it was asked for
};

/// A list of a module, as far as no row has to be known.
struct ListShape {
    std::uint16_t view = 0;
    std::uint8_t index = 0;
    std::span<const std::string_view> sorts;
    std::span<const FilterField> fields;
    bool grouped = false;
};

/// A query, checked: which range of the index to walk, from where, and with which filter.
struct ListPlan {
    TenantId tenant;
    std::uint16_t view = 0;
    Scope scope = Scope::own;
    UserId viewer;
    std::string viewers;  ///< prefix of the entries of this viewer
    std::string range;    ///< prefix of the entries of this viewer, group and sort
    std::string end;      ///< last key of the list, excluded
    std::string from;     ///< first key of the page, included
    std::string to;       ///< last key of the page, excluded
    Direction direction = Direction::forward;
    Filter filter;
    std::size_t limit = 0;
    bool count = false;
    std::optional<Position> as_of;
    /// A narrower scope looks at the past: it sees what is its own today, as it stood then.
    bool todays_rows = false;
    Position not_before;  ///< a page never shows less than the one before it
    Cursor cursor;        ///< of the next page, but for its position and key
};

/// Errors: invalid, naming the parameter.
[[nodiscard]] Result<ListPlan> plan_list(const TenantId& tenant, const ListQuery& query,
                                         const ListContext& context, const ListShape& shape);

/// The reader that a plan asks for. Errors: unavailable when the views are not there yet.
[[nodiscard]] Result<ViewReader> open_reader(const ViewStore& store, const ListPlan& plan);

/// Visits index entries of a range, at most `examined_max`. Returns whether all were visited. In
/// scope assigned the viewer's own stand among the others, with keys of that scope.
using VisitEntry = std::function<Result<bool>(std::string_view key)>;
[[nodiscard]] Result<bool> walk_entries(const ViewReader& reader, const ListPlan& plan,
                                        std::string_view from, std::string_view to,
                                        std::size_t examined_max, const VisitEntry& visit);
/// The same over entries that were made for the answer, in key order.
[[nodiscard]] Result<bool> walk_entries(const std::vector<std::string>& entries,
                                        const ListPlan& plan, std::string_view from,
                                        std::string_view to, std::size_t examined_max,
                                        const VisitEntry& visit);

/// Ids of the rows that a viewer of a narrower scope sees today, each once. Errors: invalid when
/// there are more than a look into the past of such a scope may go through.
[[nodiscard]] Result<std::vector<Uuid>> ids_of_today(const ViewReader& reader, std::uint16_t view,
                                                     std::uint8_t index, Scope scope,
                                                     const UserId& viewer);

/// A list whose rows end: today's entries do not name all that was there. It says itself which
/// rows, as of the reader's position, belong to what a viewer of a narrower scope sees today.
template <class L>
concept NamesPastRows =
    Listed<L> && requires(const ViewReader& reader, Scope scope, const UserId& viewer) {
        { L::past_rows(reader, scope, viewer) } -> std::same_as<Result<std::vector<Uuid>>>;
    };

/// The id at the end of an index entry's key.
[[nodiscard]] Uuid id_of_entry(std::string_view key);

/// Cursor of the page that goes on after `key`.
[[nodiscard]] std::string cursor_after(std::string_view key, const ListPlan& plan,
                                       Position position, std::string_view secret);

/// Pages through the rows of a list.
///
/// Pages are keyset pages: a row whose sort key stays the same is seen once, however many others
/// come and go between two pages; one that moves in the order may be seen twice or not at all. Each
/// page is a consistent cut; with as_of all pages are the same cut. A narrower scope sees in the
/// past what is in its ranges today, as it stood: who may look is a matter of today.
template <Listed L>
class List {
  public:
    using Rows = typename L::Rows;
    using Row = typename Rows::row_type;
    using Page = ListPage<Row>;

    /// Errors: invalid (query or cursor), unavailable (the views are behind), corrupt.
    [[nodiscard]] static Result<Page> page(const ViewStore& store, const TenantId& tenant,
                                           const ListQuery& query, const ListContext& context) {
        const ListShape shape{L::View::id, L::index, L::sorts, filter_fields<Row>(), Grouped<L>};
        BOS_TRY(const ListPlan plan, plan_list(tenant, query, context, shape));
        BOS_TRY(const ViewReader reader, open_reader(store, plan));
        return page(reader, plan, context);
    }

    /// The same from a reader that is open already, for an answer of several parts in one cut. The
    /// reader was opened for `query.as_of`. Errors: unavailable when it is behind the cursor's
    /// page.
    [[nodiscard]] static Result<Page> page(const ViewReader& reader, const ListQuery& query,
                                           const ListContext& context) {
        const ListShape shape{L::View::id, L::index, L::sorts, filter_fields<Row>(), Grouped<L>};
        BOS_TRY(const ListPlan plan, plan_list(reader.tenant(), query, context, shape));
        if (reader.position() < plan.not_before)
            return fail(Code::unavailable, "the views are behind the page before this one");
        return page(reader, plan, context);
    }

    /// The rows that a viewer of a narrower scope sees today, as they stood at the reader's
    /// position.
    [[nodiscard]] static Result<std::vector<Row>> rows_of_today(const ViewReader& reader,
                                                                Scope scope, const UserId& viewer) {
        BOS_TRY(const std::vector<Uuid> ids,
                ids_of_today(reader, L::View::id, L::index, scope, viewer));
        std::vector<Row> rows;
        for (const Uuid& id : ids) {
            BOS_TRY(std::optional<Row> row, Rows::get(reader, typename Rows::key_type(id)));
            if (row) rows.push_back(*std::move(row));
        }
        return rows;
    }

  private:
    static Result<std::vector<Uuid>> past_ids(const ViewReader& reader, const ListPlan& plan) {
        if constexpr (NamesPastRows<L>) {
            return L::past_rows(reader, plan.scope, plan.viewer);
        } else {
            return ids_of_today(reader, L::View::id, L::index, plan.scope, plan.viewer);
        }
    }

    /// What the index would hold for the past of what the viewer sees today.
    static Result<std::vector<std::string>> past_entries(const ViewReader& reader,
                                                         const ListPlan& plan) {
        BOS_TRY(const std::vector<Uuid> ids, past_ids(reader, plan));
        std::vector<std::string> entries;
        for (const Uuid& id : ids) {
            BOS_TRY(const std::optional<Row> row, Rows::get(reader, typename Rows::key_type(id)));
            if (!row) continue;
            for (const std::string& group : groups_in<L>(*row)) {
                KeyWriter key;
                key.raw(plan.viewers).raw(group).u8(plan.cursor.sort);
                L::append_sort_key(key, *row, plan.cursor.sort);
                append_key(key, L::id_of(*row));
                if (key.bytes().starts_with(plan.range)) entries.push_back(key.take());
            }
        }
        std::ranges::sort(entries);
        return entries;
    }

    /// Where the entries of a plan come from: the index, or the past of what is the viewer's today.
    struct Entries {
        const ViewReader& reader;
        const ListPlan& plan;
        std::vector<std::string> past;

        [[nodiscard]] Result<bool> walk(std::string_view from, std::string_view to,
                                        std::size_t examined_max, const VisitEntry& visit) const {
            return plan.todays_rows ? walk_entries(past, plan, from, to, examined_max, visit)
                                    : walk_entries(reader, plan, from, to, examined_max, visit);
        }
    };

    static Result<Page> page(const ViewReader& reader, const ListPlan& plan,
                             const ListContext& context) {
        Entries entries{.reader = reader, .plan = plan, .past = {}};
        if (plan.todays_rows) {
            BOS_TRY(entries.past, past_entries(reader, plan));
        }
        Page page;
        page.position = reader.position();
        std::string last_key;  // looked at; the next page begins after it
        const auto take = [&](std::string_view key) -> Result<bool> {
            BOS_TRY(std::optional<Row> row, passing_row(reader, plan, context, key));
            if (row && page.rows.size() == plan.limit) return false;  // there is a next page
            if (row) page.rows.push_back(*std::move(row));
            last_key = key;
            return true;
        };
        BOS_TRY(const bool all_seen, entries.walk(plan.from, plan.to, context.examined_max, take));
        if (!all_seen)
            page.next = cursor_after(last_key, plan, page.position, context.cursor_secret);
        if (plan.count) {
            BOS_TRY(page.count, count(entries, context));
        }
        return page;
    }

    static Result<ListCount> count(const Entries& entries, const ListContext& context) {
        const ListPlan& plan = entries.plan;
        ListCount count;
        const auto add = [&](std::string_view key) -> Result<bool> {
            if (plan.filter.passes_everything()) {
                ++count.value;
                return true;
            }
            BOS_TRY(const std::optional<Row> row, passing_row(entries.reader, plan, context, key));
            if (row) ++count.value;
            return true;
        };
        BOS_TRY(const bool all_seen, entries.walk(plan.range, plan.end, context.counted_max, add));
        count.capped = !all_seen;
        return count;
    }

    static Result<std::optional<Row>> passing_row(const ViewReader& reader, const ListPlan& plan,
                                                  const ListContext& context,
                                                  std::string_view key) {
        const Uuid id = id_of_entry(key);
        BOS_TRY(std::optional<Row> row, Rows::get(reader, typename Rows::key_type(id)));
        if (!row) return fail(Code::corrupt, "view store: an index entry without its row");
        const OpenForRow open(context.open, id);
        const bool passes = plan.filter.matches(&*row, context.open != nullptr ? &open : nullptr);
        if (open.failure()) return std::unexpected(*open.failure());
        if (!passes) return std::nullopt;
        return row;
    }

    class OpenForRow final : public OpenPersonal {
      public:
        OpenForRow(const OpenPersonalOf* open, const Uuid& row) : open_(open), row_(row) {}
        [[nodiscard]] std::optional<std::string> open(
            std::string_view field, const Pii<std::string>& value) const override {
            return opened(open_->open(row_, field, value));
        }
        [[nodiscard]] std::optional<std::vector<std::string>> open(
            std::string_view field, const Pii<std::vector<std::string>>& value) const override {
            return opened(open_->open(row_, field, value));
        }
        /// Why a field could not be read: what the filter said of the row means nothing then.
        [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }

      private:
        template <class T>
        std::optional<T> opened(Result<std::optional<T>> outcome) const {
            if (outcome) return *std::move(outcome);
            failure_ = std::move(outcome).error();
            return std::nullopt;
        }

        const OpenPersonalOf* open_;
        Uuid row_;
        mutable std::optional<Error> failure_;
    };
};

}  // namespace bos::projections
