#include "projections/list.h"

#include "schemas/base/assert.h"
#include "schemas/base/digest.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

namespace bos::projections {

namespace {

constexpr std::size_t limit_max = 200;
constexpr std::size_t id_bytes = 16;
constexpr std::size_t scope_at = 1;  // in the key of an entry

Result<std::uint8_t> find_sort(const ListShape& shape, std::string_view name) {
    if (name.empty()) return std::uint8_t{0};
    const auto found = std::ranges::find(shape.sorts, name);
    if (found == shape.sorts.end()) {
        return fail(Code::invalid, fmt::format("sort: there is no order by {}; there are {}", name,
                                               fmt::join(shape.sorts, ", ")));
    }
    return static_cast<std::uint8_t>(found - shape.sorts.begin());
}

/// Rows whose past is looked at one by one.
constexpr std::size_t todays_rows_max = 50'000;

ListDigest digest_of(const ListQuery& query) {
    const Hash hash = sha256(KeyWriter()
                                 .u8(static_cast<std::uint8_t>(query.scope))
                                 .uuid(query.viewer.value())
                                 .text(query.group)
                                 .text(query.filter)
                                 .text(query.before)
                                 .bytes());
    ListDigest digest;
    std::copy_n(hash.bytes.begin(), digest.size(), digest.begin());
    return digest;
}

/// Makes the plan go on where the cursor stands.
Result<void> resume(ListPlan& plan, const ListQuery& query, const Cursor& cursor) {
    const Cursor& ours = plan.cursor;
    const auto refuse = [](std::string_view why) {
        return fail(Code::invalid, fmt::format("cursor: it belongs to {}", why));
    };
    if (cursor.view != ours.view || cursor.index != ours.index) return refuse("another list");
    if (cursor.sort != ours.sort || cursor.direction != ours.direction) {
        return refuse("a list in another order");
    }
    if (cursor.list != ours.list) return refuse("a list of another viewer, scope, group or filter");
    if (query.as_of && (!cursor.is_as_of || *query.as_of != cursor.position)) {
        return refuse("a list as of another position");
    }
    if (cursor.is_as_of) {
        plan.as_of = cursor.position;
    } else {
        plan.not_before = cursor.position;
    }
    const std::string last = plan.range + cursor.index_key;
    if (plan.direction == Direction::backward) {
        plan.to = last;
    } else {
        plan.from = last;
        plan.from.push_back('\0');  // no key lies between: none is a prefix of another
    }
    return {};
}

/// What the entries of a viewer begin with, in all groups and sorts.
std::string range_of_viewer(std::uint8_t index, Scope scope, const UserId& viewer) {
    KeyWriter range;
    range.u8(index).u8(static_cast<std::uint8_t>(scope));
    if (scope != Scope::all) range.uuid(viewer.value());
    return range.take();
}

std::string in_scope(Scope scope, std::string_view key) {
    std::string moved(key);
    moved[scope_at] = static_cast<char>(scope);
    return moved;
}

/// The entries of a range, one after the other, with keys of scope assigned; read a portion at a
/// time.
class EntriesOfRange {
  public:
    EntriesOfRange(const ViewReader& reader, const ListPlan& plan, std::string from, std::string to)
        : reader_(reader), plan_(plan), from_(std::move(from)), to_(std::move(to)) {}

    /// Null: there is none left. Valid until the next call.
    [[nodiscard]] Result<const std::string*> first() {
        if (next_ == keys_.size() && !ended_) BOS_CHECK(read_portion());
        return next_ == keys_.size() ? nullptr : &keys_[next_];
    }
    void pass() { ++next_; }

  private:
    static constexpr std::size_t portion_min = 64;
    static constexpr std::size_t portion_max = 1024;

    Result<void> read_portion() {
        keys_.clear();
        next_ = 0;
        std::string last;
        BOS_CHECK(reader_.scan(plan_.view, from_, to_, plan_.direction,
                               [&](std::string_view key, std::string_view) {
                                   keys_.push_back(in_scope(Scope::assigned, key));
                                   if (keys_.size() == portion_) last = key;
                                   return keys_.size() < portion_;
                               }));
        ended_ = keys_.size() < portion_;
        portion_ = std::min(2 * portion_, portion_max);
        if (ended_) return {};
        if (plan_.direction == Direction::backward) {
            to_ = std::move(last);
        } else {
            from_ = std::move(last);
            from_.push_back('\0');
        }
        return {};
    }

    const ViewReader& reader_;
    const ListPlan& plan_;
    std::string from_;
    std::string to_;
    std::size_t portion_ = portion_min;
    std::vector<std::string> keys_;
    std::size_t next_ = 0;
    bool ended_ = false;
};

/// What the viewer helps with and what is the viewer's own, in one order.
Result<bool> walk_assigned(const ViewReader& reader, const ListPlan& plan, std::string_view from,
                           std::string_view to, std::size_t examined_max, const VisitEntry& visit) {
    EntriesOfRange helped(reader, plan, std::string(from), std::string(to));
    EntriesOfRange owned(reader, plan, in_scope(Scope::own, from), in_scope(Scope::own, to));
    const bool forward = plan.direction == Direction::forward;
    for (std::size_t examined = 0;; ++examined) {
        BOS_TRY(const std::string* const of_others, helped.first());
        BOS_TRY(const std::string* const own, owned.first());
        if (own == nullptr && of_others == nullptr) return true;
        if (examined == examined_max) return false;
        const bool own_is_next =
            own != nullptr && (of_others == nullptr || (*own < *of_others) == forward);
        BOS_TRY(const bool wants_more, visit(own_is_next ? *own : *of_others));
        if (!wants_more) return false;
        (own_is_next ? owned : helped).pass();
    }
}

}  // namespace

Result<ListPlan> plan_list(const TenantId& tenant, const ListQuery& query,
                           const ListContext& context, const ListShape& shape) {
    if (query.limit < 1 || query.limit > limit_max) {
        return fail(Code::invalid, fmt::format("limit: from 1 to {}", limit_max));
    }
    BOS_ASSERT(shape.grouped == !query.group.empty());  // the endpoint gives it, not the client
    BOS_TRY(const std::uint8_t sort, find_sort(shape, query.sort));
    BOS_TRY(Filter filter, Filter::parse(query.filter, shape.fields, {context.now, query.viewer}));

    ListPlan plan{.tenant = tenant,
                  .view = shape.view,
                  .scope = query.scope,
                  .viewer = query.viewer,
                  .viewers = range_of_viewer(shape.index, query.scope, query.viewer),
                  .range = {},
                  .end = {},
                  .from = {},
                  .to = {},
                  .direction = query.descending ? Direction::backward : Direction::forward,
                  .filter = std::move(filter),
                  .limit = query.limit,
                  .count = query.count,
                  .as_of = query.as_of,
                  .not_before = {},
                  .cursor = {}};
    plan.range = KeyWriter().raw(plan.viewers).raw(query.group).u8(sort).take();
    plan.from = plan.range;
    plan.end = query.before.empty() ? after_prefix(plan.range) : plan.range + query.before;
    plan.to = plan.end;
    plan.cursor.view = shape.view;
    plan.cursor.index = shape.index;
    plan.cursor.sort = sort;
    plan.cursor.direction = plan.direction;
    plan.cursor.list = digest_of(query);
    if (!query.cursor.empty()) {
        BOS_TRY(const Cursor cursor, read_cursor(query.cursor, tenant, context.cursor_secret));
        BOS_CHECK(resume(plan, query, cursor));
    }
    plan.todays_rows = plan.as_of && query.scope != Scope::all;
    return plan;
}

Result<ViewReader> open_reader(const ViewStore& store, const ListPlan& plan) {
    BOS_TRY(ViewReader reader,
            plan.as_of ? store.read_as_of(plan.tenant, *plan.as_of) : store.read(plan.tenant));
    if (reader.position() < plan.not_before) {
        return fail(
            Code::unavailable,
            fmt::format("the views of {} are at {}, the page before was at {}", plan.tenant.value(),
                        reader.position().value, plan.not_before.value));
    }
    return reader;
}

Result<bool> walk_entries(const ViewReader& reader, const ListPlan& plan, std::string_view from,
                          std::string_view to, std::size_t examined_max, const VisitEntry& visit) {
    BOS_ASSERT(plan.scope == Scope::all || reader.is_of_now());
    if (plan.scope == Scope::assigned)
        return walk_assigned(reader, plan, from, to, examined_max, visit);
    bool all_seen = true;
    Result<void> outcome;
    std::size_t examined = 0;
    BOS_CHECK(reader.scan(plan.view, from, to, plan.direction,
                          [&](std::string_view key, std::string_view) {
                              if (++examined > examined_max) return all_seen = false;
                              Result<bool> wants_more = visit(key);
                              if (!wants_more) {
                                  outcome = std::unexpected(std::move(wants_more).error());
                                  return false;
                              }
                              if (!*wants_more) all_seen = false;
                              return *wants_more;
                          }));
    BOS_CHECK(outcome);
    return all_seen;
}

Result<bool> walk_entries(const std::vector<std::string>& entries, const ListPlan& plan,
                          std::string_view from, std::string_view to, std::size_t examined_max,
                          const VisitEntry& visit) {
    const auto first = std::ranges::lower_bound(entries, from);
    const auto last = std::ranges::lower_bound(entries, to);
    const auto count = static_cast<std::size_t>(std::max<std::ptrdiff_t>(last - first, 0));
    for (std::size_t i = 0; i < count; ++i) {
        if (i == examined_max) return false;
        const auto offset = static_cast<std::ptrdiff_t>(i);
        const std::string& entry =
            plan.direction == Direction::forward ? *(first + offset) : *(last - 1 - offset);
        BOS_TRY(const bool wants_more, visit(entry));
        if (!wants_more) return false;
    }
    return true;
}

Result<std::vector<Uuid>> ids_of_today(const ViewReader& reader, std::uint16_t view,
                                       std::uint8_t index, Scope scope, const UserId& viewer) {
    BOS_TRY(const ViewReader today, reader.today());
    std::unordered_set<Uuid> ids;
    std::vector<Scope> scopes{scope};
    if (scope == Scope::assigned) scopes.push_back(Scope::own);
    for (const Scope each : scopes) {
        const std::string viewers = range_of_viewer(index, each, viewer);
        BOS_CHECK(today.scan_prefix(view, viewers, [&](std::string_view key, std::string_view) {
            ids.insert(id_of_entry(key));
            return ids.size() <= todays_rows_max;
        }));
    }
    if (ids.size() > todays_rows_max) {
        return fail(Code::invalid,
                    fmt::format("as_of: the past of more than {} records of one's own is not "
                                "listed; ask for them one by one",
                                todays_rows_max));
    }
    return std::vector<Uuid>(ids.begin(), ids.end());
}

Uuid id_of_entry(std::string_view key) {
    BOS_ASSERT(key.size() >= id_bytes);
    Uuid id;
    std::memcpy(id.bytes.data(), key.data() + key.size() - id_bytes, id_bytes);
    return id;
}

std::string cursor_after(std::string_view key, const ListPlan& plan, Position position,
                         std::string_view secret) {
    Cursor cursor = plan.cursor;
    cursor.is_as_of = plan.as_of.has_value();
    cursor.position = position;
    cursor.index_key = key.substr(plan.range.size());
    return to_text(cursor, plan.tenant, secret);
}

}  // namespace bos::projections
