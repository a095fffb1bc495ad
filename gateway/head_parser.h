#pragma once

#include "gateway/framing_guard.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace bos::gateway {

/// A header block as Beast reads it. Texts are views into the block.
struct ParsedHead {
    std::string_view method;
    std::string_view target;
    int version = 11;
    bool keep_alive = true;
    bool chunked = false;
    std::optional<std::uint64_t> content_length;
    bool upgrade = false;
    FieldViews fields;
};

/// A second opinion from Beast's parser on a block that the guard accepted. Empty when Beast
/// refuses it.
[[nodiscard]] std::optional<ParsedHead> parse_head(std::string_view head);

/// Whether both read the same request: two parsers that differ are what request smuggling lives on.
[[nodiscard]] bool same_meaning(const AcceptedHead& accepted, const ParsedHead& parsed);

}  // namespace bos::gateway
