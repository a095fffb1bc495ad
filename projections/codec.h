#pragma once

#include "schemas/base/codec.h"
#include "schemas/base/result.h"

#include <concepts>
#include <string>
#include <string_view>

namespace bos::projections {

/// How rows and events become bytes and back: as every generated message does
/// (schemas/base/codec.h). A row that is not generated specialises it.
template <class T>
struct Codec {
    [[nodiscard]] static std::string encode(const T& value) { return bos::encode(value); }
    [[nodiscard]] static Result<T> decode(std::string_view bytes) { return bos::decode<T>(bytes); }
};

template <class T>
concept Coded = requires(const T& value, std::string_view bytes) {
    { Codec<T>::encode(value) } -> std::convertible_to<std::string>;
    { Codec<T>::decode(bytes) } -> std::same_as<Result<T>>;
};

}  // namespace bos::projections
