#pragma once

#include "gateway/framing_guard.h"
#include "gateway/http.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bos::gateway {

/// A header block as Beast reads it.
struct ParsedHead {
    std::string method;
    std::string target;
    unsigned version = 11;
    bool keep_alive = true;
    bool chunked = false;
    std::optional<std::uint64_t> content_length;
    bool upgrade = false;
    Headers headers;
};

/// A second opinion from Beast's parser on a block that the guard accepted. Empty when Beast
/// refuses it.
[[nodiscard]] std::optional<ParsedHead> parse_head(std::string_view head);

/// Whether both read the same request: two parsers that differ are what request smuggling lives on.
[[nodiscard]] bool same_meaning(const AcceptedHead& accepted, const ParsedHead& parsed);

}  // namespace bos::gateway
