#pragma once

#include "schemas/base/field.h"
#include "schemas/base/message.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace bos {

/// Appends `text` as a JSON string (RFC 8259 section 7). `text` is valid UTF-8.
void append_json_string(std::string& out, std::string_view text);

template <Reflected T>
[[nodiscard]] std::string to_json(const T& message, ShowPii pii = ShowPii::dots) {
    std::string out;
    append_json(out, message, pii);
    return out;
}

namespace json_writing {

inline void append(std::string& out, const std::string& text, ShowPii) {
    append_json_string(out, text);
}
inline void append(std::string& out, bool value, ShowPii) { out += value ? "true" : "false"; }
template <class T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
void append(std::string& out, T value, ShowPii) {
    fmt::format_to(std::back_inserter(out), "{}", value);
}
template <NamedEnum E>
void append(std::string& out, E value, ShowPii) {
    append_json_string(out, name_of(value));
}
inline void append(std::string& out, const Uuid& uuid, ShowPii) {
    out += '"';
    out += to_string(uuid);
    out += '"';
}
template <class Tag>
void append(std::string& out, const Id<Tag>& id, ShowPii pii) {
    append(out, id.value(), pii);
}
inline void append(std::string& out, const Timestamp& time, ShowPii) {
    out += '"';
    out += to_string(time);
    out += '"';
}
inline void append(std::string& out, const Money& money, ShowPii) {
    fmt::format_to(std::back_inserter(out), R"({{"minor":{},"currency":"{}"}})", money.minor,
                   money.currency.view());
}
template <Reflected T>
void append(std::string& out, const T& table, ShowPii pii) {
    append_json(out, table, pii);
}
template <class T>
void append(std::string& out, const std::vector<T>& items, ShowPii pii) {
    out += '[';
    bool first = true;
    for (const T& item : items) {
        if (!first) out += ',';
        first = false;
        append(out, item, pii);
    }
    out += ']';
}
template <class T>
void append(std::string& out, const Pii<T>& personal, ShowPii pii) {
    if (personal.erased()) {
        out += R"({"erased":true})";
    } else if (personal.plain() != nullptr && pii == ShowPii::plain) {
        append(out, *personal.plain(), pii);
    } else {
        out += "\"•••\"";
    }
}

template <class T>
bool is_shown(const T&) {
    return true;
}
template <class T>
bool is_shown(const std::optional<T>& value) {
    return value.has_value();
}
template <class T>
bool is_shown(const Patch<T>& value) {
    return !value.unchanged();
}
template <class T>
void append(std::string& out, const std::optional<T>& value, ShowPii pii) {
    append(out, *value, pii);
}
template <class T>
void append(std::string& out, const Patch<T>& patch, ShowPii pii) {
    if (patch.cleared()) {
        out += "null";
    } else {
        append(out, *patch.value(), pii);
    }
}

template <Reflected T>
void append_members(std::string& out, const T& message, ShowPii pii, bool& first) {
    for_each_field<T>([&](const auto& field) {
        const auto& value = message.*field.member;
        using Value = std::remove_cvref_t<decltype(value)>;
        if constexpr (Reflected<Value>) {
            if (field.rules.flat) {
                append_members(out, value, pii, first);
                return;
            }
        }
        if (!is_shown(value)) return;
        if (!first) out += ',';
        first = false;
        out += '"';
        out += field.name;
        out += "\":";
        if constexpr (std::is_same_v<Value, std::string>) {
            if (field.rules.json) {
                out += value;
                return;
            }
        }
        append(out, value, pii);
    });
}

}  // namespace json_writing

template <Reflected T>
void append_json(std::string& out, const T& message, ShowPii pii) {
    out += '{';
    bool first = true;
    json_writing::append_members(out, message, pii, first);
    out += '}';
}

/// Names of the fields in which two messages of one type differ, as `name: old -> new`, for failure
/// messages.
template <Reflected T>
[[nodiscard]] std::vector<std::string> differences(const T& before, const T& after) {
    std::vector<std::string> found;
    for_each_field<T>([&](const auto& field) {
        const auto& old_value = before.*field.member;
        const auto& new_value = after.*field.member;
        if (old_value == new_value) return;
        const auto shown = [](const auto& value) {
            std::string text;
            if (!json_writing::is_shown(value)) return std::string("(none)");
            json_writing::append(text, value, ShowPii::dots);
            return text;
        };
        found.push_back(
            fmt::format("{}: {} -> {}", field.name, shown(old_value), shown(new_value)));
    });
    return found;
}

}  // namespace bos
