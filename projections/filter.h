#pragma once

#include "projections/filter_field.h"
#include "schemas/base/result.h"
#include "schemas/base/time.h"
#include "schemas/base/uuid.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The filter of every list, as text:
///
///     stage eq "new" and (expected_value.minor ge 100000 or tags has_tag "vip") and created_at
///     within last 7d
///
///     filter   = and-part *( "or" and-part )
///     and-part = part *( "and" part )
///     part     = "not" part | "(" filter ")" | field test
///     test     = ( "eq" | "ne" | "lt" | "le" | "gt" | "ge" ) value
///              | ( "in" | "nin" ) "(" value *( "," value ) ")"
///              | ( "contains" | "starts" | "ends" | "has_tag" ) text
///              | "between" value "and" value            ; both included
///              | "within" period
///              | "is_null"
///     value    = text | number | "true" | "false" | "me"
///     text     = DQUOTE … DQUOTE                         ; \" and \\ inside
///     number   = [ "-" ] digits
///     period   = "last" digits ( "m" | "h" | "d" | "w" )
///              | ( "today" | "this_week" | "this_month" ) [ "@" offset ]     ; Monday is a week's
///              first day
///     offset   = "Z" | ( "+" | "-" ) hh ":" mm           ; none = Z
///     field    = a name of the row, as in its JSON; money has .minor and .currency
///
/// Times, ids and enums are written as texts. `me` is the viewer. Upper and lower case differ,
/// except for contains, starts and ends, which take A to Z and a to z for the same.
///
/// A test of an absent value is false, except is_null, ne and nin. A list passes a test when one of
/// its items does; ne and nin want that none equals. Of personal data only equality can be asked;
/// an erased value passes no test. `not` turns whatever its part says.
namespace bos::projections {

struct FilterContext {
    Timestamp now;
    UserId me;
};

/// A filter bound to the fields of one kind of row.
///
/// Thread-safe: constant after construction.
class Filter {
  public:
    static constexpr std::size_t bytes_max = 4096;
    static constexpr std::size_t terms_max = 64;
    static constexpr std::size_t values_max = 256;  ///< of all `in` lists together
    static constexpr int depth_max = 32;

    /// Lets every row pass.
    Filter();
    Filter(Filter&&) noexcept;
    Filter& operator=(Filter&&) noexcept;
    ~Filter();

    /// Reads and binds a filter; empty text = every row. `fields` outlives it. Errors: invalid,
    /// with the column (counted in characters, from 1), what was expected, and for an unknown field
    /// those that exist.
    [[nodiscard]] static Result<Filter> parse(std::string_view text,
                                              std::span<const FilterField> fields,
                                              const FilterContext& context);

    [[nodiscard]] bool passes_everything() const { return nodes_.empty(); }

    /// `row` is of the type that `fields` belong to.
    [[nodiscard]] bool matches(const void* row, const OpenPersonal* open = nullptr) const;

  private:
    struct Node;
    friend class FilterBinder;

    [[nodiscard]] bool matches(const Node& node, const void* row, const OpenPersonal* open) const;

    std::vector<Node> nodes_;  // the last one is the root
};

/// A filter over rows of type `Row`.
template <Reflected Row>
class RowFilter {
  public:
    [[nodiscard]] static Result<RowFilter> parse(std::string_view text,
                                                 const FilterContext& context) {
        BOS_TRY(Filter filter, Filter::parse(text, filter_fields<Row>(), context));
        return RowFilter(std::move(filter));
    }
    [[nodiscard]] bool matches(const Row& row, const OpenPersonal* open = nullptr) const {
        return filter_.matches(&row, open);
    }

  private:
    explicit RowFilter(Filter filter) : filter_(std::move(filter)) {}
    Filter filter_;
};

}  // namespace bos::projections
