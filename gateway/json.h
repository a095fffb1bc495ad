#pragma once

#include <boost/json/value.hpp>

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace bos::gateway {

struct JsonError {
    std::size_t offset = 0;  ///< byte at which reading stopped
    std::string code;        ///< stable: see json.cc
    std::string detail;      ///< for people; never quotes the input
    std::string pointer;     ///< JSON Pointer (RFC 6901) to the value being read
};

/// Nesting of arrays and objects: no command needs more than a handful, and each level costs stack
/// in whoever walks the value.
inline constexpr std::size_t json_depth_max = 32;

/// Strict RFC 8259, one value with nothing but white space around it. Beyond the grammar it refuses
/// what parsers read differently: a key twice in one object, lone surrogates, ill-formed UTF-8, a
/// byte order mark, integers outside 64 bits and numbers whose double is infinite; and depth > 32.
[[nodiscard]] std::expected<boost::json::value, JsonError> parse_json(std::string_view text);

}  // namespace bos::gateway
