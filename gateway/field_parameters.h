#pragma once

#include "schemas/base/json_read.h"
#include "schemas/base/validate.h"

#include <string>
#include <string_view>
#include <vector>

namespace bos::gateway {

/// Can a field of this type come as text, in a path or a query?
template <class T>
inline constexpr bool reads_text = std::is_arithmetic_v<T> || std::is_same_v<T, std::string> ||
                                   std::is_same_v<T, Timestamp> || is_id<T>::value || NamedEnum<T>;
template <class T>
inline constexpr bool reads_text<std::optional<T>> = reads_text<T>;

enum class FieldText { set, unknown, wrong };

/// Sets the field of that name from text; `wrong` adds what it must be to `errors`.
template <Reflected T>
FieldText set_from_text(T& message, std::string_view name, std::string_view text,
                        std::vector<FieldError>& errors) {
    FieldText outcome = FieldText::unknown;
    for_each_field<T>([&](const auto& field) {
        using Member = typename std::remove_cvref_t<decltype(field)>::value_type;
        if constexpr (reads_text<Member>) {
            if (field.name != name) return;
            outcome = FieldText::set;
            if (read_text(text, message.*field.member)) return;
            outcome = FieldText::wrong;
            errors.push_back({"/" + std::string(name), "type", expected_text<Member>()});
        }
    });
    return outcome;
}

}  // namespace bos::gateway
