#pragma once

#include "schemas/base/field.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bos {

/// One rule that an input breaks.
struct FieldError {
    std::string pointer;  ///< JSON Pointer (RFC 6901)
    std::string code;     ///< required, type, unknown_field, length, range, format, items
    std::string detail;   ///< names the rule, never the value

    friend bool operator==(const FieldError&, const FieldError&) = default;
};

/// Unicode code points of valid UTF-8.
[[nodiscard]] std::size_t count_code_points(std::string_view text);

/// Empty when `text` has the format, else what it must be.
[[nodiscard]] std::string_view rule_broken(Format format, std::string_view text);

/// Checks every rule of every field; the errors of a message are all reported, not the first alone.
template <Reflected T>
void validate(const T& message, const std::string& pointer, std::vector<FieldError>& errors);

namespace validation {

inline void check(const std::string& text, const Rules& rules, const std::string& pointer,
                  std::vector<FieldError>& errors) {
    const std::size_t length = count_code_points(text);
    if (length < rules.min_length) {
        errors.push_back(
            {pointer, "length", fmt::format("must have at least {} characters", rules.min_length)});
    } else if (length > rules.max_length) {
        errors.push_back(
            {pointer, "length", fmt::format("must have at most {} characters", rules.max_length)});
    } else if (const std::string_view rule = rule_broken(rules.format, text); !rule.empty()) {
        errors.push_back({pointer, "format", std::string(rule)});
    }
}

template <class T>
    requires(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
void check(const T& number, const Rules& rules, const std::string& pointer,
           std::vector<FieldError>& errors) {
    // A rule that is not given is no rule: the default bounds are narrower than std::uint64_t.
    using Limits = std::numeric_limits<T>;
    const T low = std::in_range<T>(rules.min) ? static_cast<T>(rules.min) : Limits::min();
    const bool bounded = rules.max != Rules{}.max && std::in_range<T>(rules.max);
    const T high = bounded ? static_cast<T>(rules.max) : Limits::max();
    if (number < low || number > high) {
        errors.push_back({pointer, "range", fmt::format("must be from {} to {}", low, high)});
    }
}

inline void check(const bool&, const Rules&, const std::string&, std::vector<FieldError>&) {}
/// The nil UUID means "no id" inside; from outside it would name nothing. A target that nobody has
/// is not found.
inline void check(const Uuid& uuid, const Rules& rules, const std::string& pointer,
                  std::vector<FieldError>& errors) {
    if (uuid.is_nil() && !rules.target)
        errors.push_back({pointer, "format", "must not be the nil UUID"});
}
inline void check(const Timestamp&, const Rules&, const std::string&, std::vector<FieldError>&) {}
inline void check(const Money&, const Rules&, const std::string&, std::vector<FieldError>&) {}
template <class Tag>
void check(const Id<Tag>& id, const Rules& rules, const std::string& pointer,
           std::vector<FieldError>& errors) {
    check(id.value(), rules, pointer, errors);
}
template <NamedEnum E>
void check(const E&, const Rules&, const std::string&, std::vector<FieldError>&) {}

template <Reflected T>
void check(const T& table, const Rules&, const std::string& pointer,
           std::vector<FieldError>& errors) {
    validate(table, pointer, errors);
}

template <class T>
void check(const std::vector<T>& items, const Rules& rules, const std::string& pointer,
           std::vector<FieldError>& errors) {
    if (items.size() > rules.max_items) {
        errors.push_back(
            {pointer, "items", fmt::format("must have at most {} items", rules.max_items)});
        return;
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
        check(items[i], rules, fmt::format("{}/{}", pointer, i), errors);
    }
}

template <class T>
void check(const Pii<T>& personal, const Rules& rules, const std::string& pointer,
           std::vector<FieldError>& errors) {
    if (const T* plain = personal.plain()) check(*plain, rules, pointer, errors);
}

template <class T>
void check(const std::optional<T>& value, const Rules& rules, const std::string& pointer,
           std::vector<FieldError>& errors) {
    if (value) check(*value, rules, pointer, errors);
}

template <class T>
void check(const Patch<T>& patch, const Rules& rules, const std::string& pointer,
           std::vector<FieldError>& errors) {
    if (const T* value = patch.value()) check(*value, rules, pointer, errors);
}

}  // namespace validation

template <Reflected T>
void validate(const T& message, const std::string& pointer, std::vector<FieldError>& errors) {
    for_each_field<T>([&](const auto& field) {
        const std::string at =
            field.rules.flat ? pointer : fmt::format("{}/{}", pointer, field.name);
        validation::check(message.*field.member, field.rules, at, errors);
    });
}

}  // namespace bos
