#pragma once

#include "schemas/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What a filter says (grammar: filter.h), before it is known about which rows.
namespace bos::projections::filter_syntax {

enum class Op : std::uint8_t {
    eq,
    ne,
    lt,
    le,
    gt,
    ge,
    in,
    nin,
    contains,
    starts,
    ends,
    has_tag,
    between,
    within,
    is_null
};
[[nodiscard]] std::string_view name_of(Op op);

struct Literal {
    enum class Kind : std::uint8_t { text, number, boolean, me };
    Kind kind = Kind::text;
    std::string text;
    std::int64_t number = 0;  ///< of a boolean: 0 or 1
    std::size_t column = 0;
};

struct Period {
    enum class Kind : std::uint8_t { last, today, this_week, this_month };
    Kind kind = Kind::last;
    std::int64_t seconds = 0;  ///< of last
    std::int32_t offset_minutes = 0;
};

struct Term {
    std::string field;
    std::size_t field_column = 0;
    Op op = Op::eq;
    std::size_t op_column = 0;
    std::vector<Literal> values;
    Period period;
};

/// Children stand before their parents; the root is the last.
struct Node {
    enum class Kind : std::uint8_t { both, either, negated, term };
    Kind kind = Kind::term;
    std::size_t left = 0;
    std::size_t right = 0;  ///< not of negated
    Term term;
};

/// Errors: invalid, with the column.
[[nodiscard]] Result<std::vector<Node>> parse(std::string_view text);

[[nodiscard]] std::unexpected<Error> fail_at(std::size_t column, std::string_view what);

}  // namespace bos::projections::filter_syntax
