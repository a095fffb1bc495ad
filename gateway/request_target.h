#pragma once

#include "gateway/http.h"

#include <expected>
#include <string>
#include <string_view>

namespace bos::gateway {

/// A request target after decoding (RFC 9112 3.2).
struct RequestTarget {
    std::string path;  ///< "/v1/leads", or "*" of OPTIONS
    Parameters query;
    std::string authority;  ///< of the absolute form, lower case; empty otherwise
};

/// Origin form, absolute form (http and https, without user information) and "*" for OPTIONS.
/// Refuses what servers, proxies and routers read differently: dot segments, empty segments, %2F,
/// %5C, %00 and control bytes in a path, fragments, bytes that are not ASCII, ill-formed percent
/// escapes, ill-formed UTF-8 and repeated names in the query. The error says which rule, never the
/// target.
[[nodiscard]] std::expected<RequestTarget, std::string_view> parse_target(std::string_view method,
                                                                          std::string_view target);

/// host [":" port] (RFC 9110 7.2): a name, an IPv4 address or an IPv6 address in brackets.
[[nodiscard]] bool is_authority(std::string_view text);

/// Well-formed UTF-8 (RFC 3629: shortest form, no surrogates, at most U+10FFFF).
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace bos::gateway
