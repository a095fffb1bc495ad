#pragma once

#include "schemas/base/field.h"
#include "schemas/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

// What every generated message can do. The templates are defined in codec.h and json_write.h and
// instantiated once for each message beside its generated code, so including them costs nothing.

namespace bos {

/// The message's FlatBuffer. A field of personal data keeps its state: plain, sealed or erased.
template <Reflected T>
[[nodiscard]] std::string encode(const T& message);

/// Verifies the buffer (bounds, depth; UTF-8 is not checked) before reading it. Errors: corrupt.
template <Reflected T>
[[nodiscard]] Result<T> decode(std::string_view bytes);

/// Decodes the alternative of `Variant` whose `number` is given; not_found when no alternative has
/// it.
template <class Variant>
[[nodiscard]] Result<Variant> decode_numbered(std::uint16_t number, std::string_view payload);

/// How personal data that is plain shows in JSON.
enum class ShowPii : std::uint8_t {
    dots,   ///< "•••": logs, failure messages, the log dump
    plain,  ///< to a reader who may see it
};

/// Appends the message as a JSON object: empty optional fields are left out, empty lists are [],
/// sealed data shows as dots, erased data as {"erased":true}, an unchanged field of a change is
/// left out and a cleared one null.
template <Reflected T>
void append_json(std::string& out, const T& message, ShowPii pii);

}  // namespace bos
