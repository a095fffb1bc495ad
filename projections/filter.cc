#include "projections/filter.h"

#include "projections/filter_syntax.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>

namespace bos::projections {

using filter_syntax::fail_at;
using filter_syntax::Literal;
using filter_syntax::Op;
using filter_syntax::Period;
using filter_syntax::Term;

namespace {

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

/// Both ends included; empty when low > high.
struct Interval {
    std::int64_t low = lowest;
    std::int64_t high = highest;
};
constexpr Interval no_number{1, 0};

char folded(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_folded(char a, char b) { return folded(a) == folded(b); }

bool contains_folded(std::string_view text, std::string_view part) {
    return !std::ranges::search(text, part, same_folded).empty() || part.empty();
}
bool starts_folded(std::string_view text, std::string_view part) {
    return text.size() >= part.size() &&
           std::ranges::equal(text.substr(0, part.size()), part, same_folded);
}
bool ends_folded(std::string_view text, std::string_view part) {
    return text.size() >= part.size() &&
           std::ranges::equal(text.substr(text.size() - part.size()), part, same_folded);
}

bool is_numeric(FieldType type) {
    return type == FieldType::boolean || type == FieldType::number ||
           type == FieldType::enumeration || type == FieldType::time;
}

std::string_view kind_of(FieldType type) {
    switch (type) {
        case FieldType::boolean:
            return "true or false";
        case FieldType::number:
            return "a number";
        case FieldType::enumeration:
            return "one of a few names";
        case FieldType::time:
            return "a time";
        case FieldType::text:
            return "text";
        case FieldType::uuid:
            return "an id";
        case FieldType::money:
            return "money";
    }
    return "unknown";
}

std::string_view kind_of(Literal::Kind kind) {
    switch (kind) {
        case Literal::Kind::text:
            return "a text";
        case Literal::Kind::number:
            return "a number";
        case Literal::Kind::boolean:
            return "true or false";
        case Literal::Kind::me:
            return "me";
    }
    return "unknown";
}

bool allows(const FilterField& field, Op op) {
    if (op == Op::is_null) return true;
    if (field.type == FieldType::money) return false;
    const bool equality = op == Op::eq || op == Op::ne || op == Op::in || op == Op::nin;
    if (equality) return true;
    if (field.personal) return false;
    const bool part_of_text = op == Op::contains || op == Op::starts || op == Op::ends;
    if (part_of_text) return field.type == FieldType::text;
    if (op == Op::has_tag) return field.type == FieldType::text && field.list;
    if (field.list) return false;
    if (op == Op::within) return field.type == FieldType::time;
    const bool ordered = field.type == FieldType::number || field.type == FieldType::time ||
                         field.type == FieldType::text;
    return ordered;
}

Interval interval_of(const Period& period, Timestamp now) {
    using namespace std::chrono;
    if (period.kind == Period::Kind::last)
        return {micros(now - seconds(period.seconds)), micros(now)};
    const minutes offset(period.offset_minutes);
    const sys_days today = floor<days>(now + offset);  // as the clock on the wall there says
    sys_days first = today;
    sys_days end = today + days(1);
    if (period.kind == Period::Kind::this_week) {
        first = today - (weekday(today) - Monday);
        end = first + days(7);
    }
    if (period.kind == Period::Kind::this_month) {
        const year_month_day date(today);
        first = sys_days(date.year() / date.month() / 1);
        end = sys_days((date.year() / date.month() + months(1)) / 1);
    }
    return {micros(first - offset), micros(end - offset) - 1};
}

}  // namespace

struct Filter::Node {
    enum class Kind : std::uint8_t {
        both,
        either,
        negated,
        absent,
        within_intervals,  ///< a number in one of the intervals
        one_of_bytes,
        bytes_between,
        part_of_text,
    };
    Kind kind = Kind::both;
    Op op = Op::eq;         // of part_of_text: which part
    bool inverted = false;  // ne and nin
    std::size_t left = 0;
    std::size_t right = 0;
    const FilterField* field = nullptr;
    std::vector<Interval> intervals;
    std::vector<std::string> texts;
    bool lower_included = true;  // of bytes_between, with texts[0] and texts[1]
    bool upper_included = true;
    bool lower_open = false;
    bool upper_open = false;
};

/// Turns what a filter says into tests of the fields at hand, and refuses what cannot be asked of
/// them.
class FilterBinder {
  public:
    FilterBinder(std::span<const FilterField> fields, const FilterContext& context)
        : fields_(fields), context_(context) {}

    Result<Filter::Node> bind(const filter_syntax::Node& said) const {
        using Said = filter_syntax::Node::Kind;
        using Kind = Filter::Node::Kind;
        if (said.kind == Said::term) return bind_term(said.term);
        Filter::Node node;
        node.kind = said.kind == Said::both     ? Kind::both
                    : said.kind == Said::either ? Kind::either
                                                : Kind::negated;
        node.left = said.left;
        node.right = said.right;
        return node;
    }

  private:
    Result<Filter::Node> bind_term(const Term& term) const {
        BOS_TRY(const FilterField* const field, find(term));
        if (!allows(*field, term.op)) return refuse_op(*field, term);
        Filter::Node node;
        node.field = field;
        node.op = term.op;
        node.inverted = term.op == Op::ne || term.op == Op::nin;
        if (term.op == Op::is_null) {
            node.kind = Filter::Node::Kind::absent;
            return node;
        }
        BOS_CHECK(is_numeric(field->type) ? bind_numbers(*field, term, node)
                                          : bind_bytes(*field, term, node));
        return node;
    }

    Result<const FilterField*> find(const Term& term) const {
        const auto found = std::ranges::find(fields_, term.field, &FilterField::name);
        if (found != fields_.end()) return &*found;
        std::string known;
        for (const FilterField& field : fields_) known += (known.empty() ? "" : ", ") + field.name;
        return fail_at(term.field_column,
                       fmt::format("there is no field {}; there are {}", term.field, known));
    }

    static std::unexpected<Error> refuse_op(const FilterField& field, const Term& term) {
        const auto refuse = [&](std::string_view why) {
            return fail_at(term.op_column, fmt::format("{} cannot be asked of {}, {}",
                                                       name_of(term.op), field.name, why));
        };
        if (field.type == FieldType::money) {
            return refuse(
                fmt::format("which is money: ask {}.minor or {}.currency", field.name, field.name));
        }
        if (field.personal)
            return refuse("which is personal data: only eq, ne, in, nin and is_null can");
        if (field.list)
            return refuse(fmt::format("which is a list of {}s",
                                      field.type == FieldType::text ? "text" : "value"));
        return refuse(fmt::format("which is {}", kind_of(field.type)));
    }

    static std::unexpected<Error> refuse_value(const FilterField& field, const Literal& value) {
        return fail_at(value.column,
                       fmt::format("{} is {} and cannot be compared with {}", field.name,
                                   kind_of(field.type), kind_of(value.kind)));
    }

    Result<void> bind_numbers(const FilterField& field, const Term& term,
                              Filter::Node& node) const {
        node.kind = Filter::Node::Kind::within_intervals;
        if (term.op == Op::within) {
            node.intervals.push_back(interval_of(term.period, context_.now));
            return {};
        }
        std::vector<std::int64_t> numbers;
        for (const Literal& value : term.values) {
            BOS_TRY(const std::int64_t number, number_of(field, value));
            numbers.push_back(number);
        }
        const std::int64_t first = numbers.front();
        switch (term.op) {
            case Op::lt:
                node.intervals.push_back(first == lowest ? no_number : Interval{lowest, first - 1});
                break;
            case Op::le:
                node.intervals.push_back({lowest, first});
                break;
            case Op::gt:
                node.intervals.push_back(first == highest ? no_number
                                                          : Interval{first + 1, highest});
                break;
            case Op::ge:
                node.intervals.push_back({first, highest});
                break;
            case Op::between:
                node.intervals.push_back({first, numbers.back()});
                break;
            default:
                for (const std::int64_t number : numbers)
                    node.intervals.push_back({number, number});
        }
        return {};
    }

    static Result<std::int64_t> number_of(const FilterField& field, const Literal& value) {
        const bool is_text = value.kind == Literal::Kind::text;
        if (field.type == FieldType::boolean && value.kind == Literal::Kind::boolean)
            return value.number;
        if (field.type == FieldType::number && value.kind == Literal::Kind::number)
            return value.number;
        if (field.type == FieldType::enumeration && is_text) {
            const auto found = std::ranges::find(field.choices, value.text);
            if (found != field.choices.end()) return found - field.choices.begin();
            return fail_at(value.column, fmt::format("{} is never that; it is one of {}",
                                                     field.name, fmt::join(field.choices, ", ")));
        }
        if (field.type == FieldType::time && is_text) {
            if (const auto time = parse_timestamp(value.text)) return micros(*time);
            return fail_at(
                value.column,
                fmt::format("{} is compared with a time as 2026-01-31T08:15:00Z", field.name));
        }
        return refuse_value(field, value);
    }

    Result<void> bind_bytes(const FilterField& field, const Term& term, Filter::Node& node) const {
        for (const Literal& value : term.values) {
            BOS_TRY(std::string bytes, bytes_of(field, value));
            node.texts.push_back(std::move(bytes));
        }
        using Kind = Filter::Node::Kind;
        switch (term.op) {
            case Op::contains:
            case Op::starts:
            case Op::ends:
                node.kind = Kind::part_of_text;
                break;
            case Op::lt:
            case Op::le:
                node.kind = Kind::bytes_between;
                node.texts.insert(node.texts.begin(), std::string());
                node.lower_open = true;
                node.upper_included = term.op == Op::le;
                break;
            case Op::gt:
            case Op::ge:
                node.kind = Kind::bytes_between;
                node.texts.emplace_back();
                node.upper_open = true;
                node.lower_included = term.op == Op::ge;
                break;
            case Op::between:
                node.kind = Kind::bytes_between;
                break;
            default:
                node.kind = Kind::one_of_bytes;
        }
        return {};
    }

    Result<std::string> bytes_of(const FilterField& field, const Literal& value) const {
        if (field.type == FieldType::text && value.kind == Literal::Kind::text) return value.text;
        if (field.type != FieldType::uuid) return refuse_value(field, value);
        if (value.kind == Literal::Kind::me) {
            return std::string(filter_field::bytes_of(context_.me.value()));
        }
        if (value.kind != Literal::Kind::text) return refuse_value(field, value);
        if (const auto uuid = parse_uuid(value.text))
            return std::string(filter_field::bytes_of(*uuid));
        return fail_at(value.column, fmt::format("{} is compared with a UUID or me", field.name));
    }

    std::span<const FilterField> fields_;
    const FilterContext& context_;
};

Filter::Filter() = default;
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;
Filter::~Filter() = default;

Result<Filter> Filter::parse(std::string_view text, std::span<const FilterField> fields,
                             const FilterContext& context) {
    Filter filter;
    if (text.empty()) return filter;
    BOS_TRY(const std::vector<filter_syntax::Node> said, filter_syntax::parse(text));
    const FilterBinder binder(fields, context);
    for (const filter_syntax::Node& node : said) {
        BOS_TRY(Node bound, binder.bind(node));
        filter.nodes_.push_back(std::move(bound));
    }
    return filter;
}

bool Filter::matches(const void* row, const OpenPersonal* open) const {
    return nodes_.empty() || matches(nodes_.back(), row, open);
}

bool Filter::matches(const Node& node, const void* row, const OpenPersonal* open) const {
    const auto ask = [&](const auto& test) {
        const Seen seen = node.field->ask(row, *node.field, open, ValueTest(test));
        if (!node.inverted) return seen == Seen::match;
        return seen == Seen::no_match || seen == Seen::nothing;
    };
    switch (node.kind) {
        case Node::Kind::both:
            return matches(nodes_[node.left], row, open) && matches(nodes_[node.right], row, open);
        case Node::Kind::either:
            return matches(nodes_[node.left], row, open) || matches(nodes_[node.right], row, open);
        case Node::Kind::negated:
            return !matches(nodes_[node.left], row, open);
        case Node::Kind::absent: {
            const auto any = [](const FieldValue&) { return true; };
            return node.field->ask(row, *node.field, open, ValueTest(any)) == Seen::nothing;
        }
        case Node::Kind::within_intervals:
            return ask([&](const FieldValue& value) {
                return std::ranges::any_of(node.intervals, [&](const Interval& interval) {
                    return interval.low <= value.number && value.number <= interval.high;
                });
            });
        case Node::Kind::one_of_bytes:
            return ask([&](const FieldValue& value) {
                return std::ranges::any_of(
                    node.texts, [&](const std::string& text) { return text == value.bytes; });
            });
        case Node::Kind::bytes_between:
            return ask([&](const FieldValue& value) {
                const bool above = node.lower_open || value.bytes > node.texts[0] ||
                                   (node.lower_included && value.bytes == node.texts[0]);
                const bool below = node.upper_open || value.bytes < node.texts[1] ||
                                   (node.upper_included && value.bytes == node.texts[1]);
                return above && below;
            });
        case Node::Kind::part_of_text:
            return ask([&](const FieldValue& value) {
                if (node.op == Op::starts) return starts_folded(value.bytes, node.texts[0]);
                if (node.op == Op::ends) return ends_folded(value.bytes, node.texts[0]);
                return contains_folded(value.bytes, node.texts[0]);
            });
    }
    return false;
}

}  // namespace bos::projections
