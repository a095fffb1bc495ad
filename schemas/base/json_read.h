#pragma once

#include "schemas/base/field.h"
#include "schemas/base/validate.h"

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bos {

/// Fills `message` from a JSON object and reports everything that is wrong with it: unknown fields,
/// missing required fields, wrong types. Fields of `message` that the object does not name keep
/// their values, and required fields that `known` names (from the route) may be missing. Rules of
/// values: see validate().
template <Reflected T>
void read_json(const boost::json::value& json, T& message, std::vector<FieldError>& errors,
               const std::vector<std::string_view>& known = {});

/// The same for one text value, as in a query string or a path.
template <class T>
[[nodiscard]] bool read_text(std::string_view text, T& value);

namespace json_reading {

using boost::json::kind;
using Errors = std::vector<FieldError>;

/// RFC 6901: ~ and / are escaped.
[[nodiscard]] std::string pointer_to(const std::string& parent, std::string_view name);

inline void wrong_type(const std::string& pointer, std::string_view expected, Errors& errors) {
    errors.push_back({pointer, "type", fmt::format("must be {}", expected)});
}

inline void read(const boost::json::value& json, std::string& text, const std::string& pointer,
                 Errors& errors) {
    if (!json.is_string()) return wrong_type(pointer, "a string", errors);
    text.assign(json.get_string().data(), json.get_string().size());
    if (text.find('\0') != std::string::npos)
        errors.push_back({pointer, "format", "must not contain U+0000"});
}
inline void read(const boost::json::value& json, bool& value, const std::string& pointer,
                 Errors& errors) {
    if (!json.is_bool()) return wrong_type(pointer, "true or false", errors);
    value = json.get_bool();
}
/// A number without a fraction is an integer however it is spelled: JSON Schema takes 5, 5.0 and 5e0
/// for the same. From 2^53 on doubles skip integers, so there only digits name one.
template <class T>
std::optional<T> integer_from(const boost::json::value& json) {
    constexpr double exact_below = 9007199254740992.0;
    if (json.is_int64() && std::in_range<T>(json.get_int64()))
        return static_cast<T>(json.get_int64());
    if (json.is_uint64() && std::in_range<T>(json.get_uint64()))
        return static_cast<T>(json.get_uint64());
    if (!json.is_double()) return std::nullopt;
    const double number = json.get_double();
    if (std::abs(number) >= exact_below || std::trunc(number) != number) return std::nullopt;
    const auto whole = static_cast<std::int64_t>(number);
    return std::in_range<T>(whole) ? std::optional<T>(static_cast<T>(whole)) : std::nullopt;
}
template <class T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
void read(const boost::json::value& json, T& value, const std::string& pointer, Errors& errors) {
    if (const auto integer = integer_from<T>(json)) {
        value = *integer;
        return;
    }
    wrong_type(pointer,
               fmt::format("an integer from {} to {}", std::numeric_limits<T>::min(),
                           std::numeric_limits<T>::max()),
               errors);
}
template <NamedEnum E>
void read(const boost::json::value& json, E& value, const std::string& pointer, Errors& errors) {
    std::optional<E> found;
    if (json.is_string())
        found = enum_from<E>({json.get_string().data(), json.get_string().size()});
    if (!found) {
        std::string names;
        for (const std::string_view name : enum_names(E{}))
            names += (names.empty() ? "" : ", ") + std::string(name);
        return wrong_type(pointer, "one of " + names, errors);
    }
    value = *found;
}
inline void read(const boost::json::value& json, Uuid& uuid, const std::string& pointer,
                 Errors& errors) {
    std::optional<Uuid> parsed;
    if (json.is_string()) parsed = parse_uuid({json.get_string().data(), json.get_string().size()});
    if (!parsed) return wrong_type(pointer, "a UUID", errors);
    uuid = *parsed;
}
template <class Tag>
void read(const boost::json::value& json, Id<Tag>& id, const std::string& pointer, Errors& errors) {
    Uuid uuid;
    read(json, uuid, pointer, errors);
    id = Id<Tag>(uuid);
}
inline void read(const boost::json::value& json, Timestamp& time, const std::string& pointer,
                 Errors& errors) {
    std::optional<Timestamp> parsed;
    if (json.is_string())
        parsed = parse_timestamp({json.get_string().data(), json.get_string().size()});
    if (!parsed)
        return wrong_type(pointer, "a date and time as 2026-01-31T08:15:00Z (RFC 3339)", errors);
    time = *parsed;
}
void read(const boost::json::value& json, Money& money, const std::string& pointer, Errors& errors);

template <Reflected T>
void read(const boost::json::value& json, T& table, const std::string& pointer, Errors& errors);

template <class T>
void read(const boost::json::value& json, std::vector<T>& items, const std::string& pointer,
          Errors& errors) {
    if (!json.is_array()) return wrong_type(pointer, "a list", errors);
    items.clear();
    items.reserve(json.get_array().size());
    for (const boost::json::value& item : json.get_array()) {
        T value{};
        read(item, value, fmt::format("{}/{}", pointer, items.size()), errors);
        items.push_back(std::move(value));
    }
}
template <class T>
void read(const boost::json::value& json, Pii<T>& personal, const std::string& pointer,
          Errors& errors) {
    T plain;
    read(json, plain, pointer, errors);
    personal = Pii<T>(std::move(plain));
}
template <class T>
void read(const boost::json::value& json, std::optional<T>& value, const std::string& pointer,
          Errors& errors) {
    read(json, value.emplace(), pointer, errors);
}
template <class T>
void read(const boost::json::value& json, Patch<T>& patch, const std::string& pointer,
          Errors& errors) {
    if (json.is_null()) {
        patch = Patch<T>::clear();
        return;
    }
    T value{};
    read(json, value, pointer, errors);
    patch = Patch<T>::set(std::move(value));
}

/// Reads one member into the field of that name, if there is one.
template <Reflected T>
bool read_member(std::string_view name, const boost::json::value& json, T& message,
                 const std::string& pointer, Errors& errors) {
    bool taken = false;
    for_each_field<T>([&](const auto& field) {
        if (taken) return;
        auto& member = message.*field.member;
        if constexpr (Reflected<std::remove_cvref_t<decltype(member)>>) {
            if (field.rules.flat) {
                taken = read_member(name, json, member, pointer, errors);
                return;
            }
        }
        if (field.name != name) return;
        taken = true;
        read(json, member, pointer_to(pointer, name), errors);
    });
    return taken;
}

template <Reflected T>
void require_members(const boost::json::object& object, const std::string& pointer,
                     const std::vector<std::string_view>& known, Errors& errors) {
    for_each_field<T>([&](const auto& field) {
        using Member = typename std::remove_cvref_t<decltype(field)>::value_type;
        if constexpr (Reflected<Member>) {
            if (field.rules.flat) {
                require_members<Member>(object, pointer, {}, errors);
                return;
            }
        }
        if (!field.rules.required || object.contains({field.name.data(), field.name.size()}))
            return;
        if (std::find(known.begin(), known.end(), field.name) != known.end()) return;
        errors.push_back({pointer_to(pointer, field.name), "required", "must be given"});
    });
}

template <Reflected T>
void read_object(const boost::json::value& json, T& message, const std::string& pointer,
                 const std::vector<std::string_view>& known, Errors& errors) {
    if (!json.is_object()) return wrong_type(pointer, "an object", errors);
    for (const auto& member : json.get_object()) {
        const std::string_view name(member.key().data(), member.key().size());
        const bool from_route = std::find(known.begin(), known.end(), name) != known.end();
        if (from_route || !read_member(name, member.value(), message, pointer, errors)) {
            errors.push_back(
                {pointer_to(pointer, name), "unknown_field", "is not a field of this request"});
        }
    }
    require_members<T>(json.get_object(), pointer, known, errors);
}

template <Reflected T>
void read(const boost::json::value& json, T& table, const std::string& pointer, Errors& errors) {
    read_object(json, table, pointer, {}, errors);
}

}  // namespace json_reading

template <Reflected T>
void read_json(const boost::json::value& json, T& message, std::vector<FieldError>& errors,
               const std::vector<std::string_view>& known) {
    json_reading::read_object(json, message, "", known, errors);
}

/// "must be …" for a text that read_text refuses.
template <class T>
[[nodiscard]] std::string expected_text() {
    if constexpr (is_optional<T>::value) {
        return expected_text<typename T::value_type>();
    } else if constexpr (std::is_same_v<T, bool>) {
        return "must be true or false";
    } else if constexpr (std::is_integral_v<T>) {
        return fmt::format("must be an integer from {} to {}", std::numeric_limits<T>::min(),
                           std::numeric_limits<T>::max());
    } else if constexpr (NamedEnum<T>) {
        std::string names;
        for (const std::string_view name : enum_names(T{}))
            names += (names.empty() ? "" : ", ") + std::string(name);
        return "must be one of " + names;
    } else if constexpr (std::is_same_v<T, Timestamp>) {
        return "must be a date and time as 2026-01-31T08:15:00Z (RFC 3339)";
    } else {
        return "must be a UUID";
    }
}

template <class T>
bool read_text(std::string_view text, T& value) {
    if constexpr (is_optional<T>::value) {
        return read_text(text, value.emplace());
    } else if constexpr (std::is_same_v<T, std::string>) {
        value.assign(text);
        return text.find('\0') == std::string_view::npos;
    } else if constexpr (std::is_same_v<T, bool>) {
        value = text == "true";
        return text == "true" || text == "false";
    } else if constexpr (std::is_integral_v<T>) {
        const bool digits = !text.empty() && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9'));
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        return digits && error == std::errc{} && end == text.data() + text.size();
    } else if constexpr (NamedEnum<T>) {
        const auto found = enum_from<T>(text);
        if (found) value = *found;
        return found.has_value();
    } else if constexpr (std::is_same_v<T, Timestamp>) {
        const auto parsed = parse_timestamp(text);
        if (parsed) value = *parsed;
        return parsed.has_value();
    } else {
        const auto parsed = parse_uuid(text);
        if (parsed) value = T(*parsed);
        return parsed.has_value();
    }
}

}  // namespace bos
