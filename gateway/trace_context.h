#pragma once

#include "schemas/base/random.h"
#include "schemas/base/uuid.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bos::gateway {

/// W3C Trace Context, level 1: which trace a request belongs to, and who called.
struct TraceContext {
    Uuid trace_id;  ///< 16 opaque bytes, not all zero; used as the correlation id of commits
    std::array<std::uint8_t, 8> parent_id{};
    bool sampled = false;

    friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

/// Reads a traceparent header strictly: lower-case hexadecimal, no zero ids, version 00 exactly,
/// later versions by their first four parts. Empty = start a new trace, as the standard says.
[[nodiscard]] std::optional<TraceContext> parse_traceparent(std::string_view text);
/// Version 00.
[[nodiscard]] std::string to_traceparent(const TraceContext& context);
/// The caller's trace with an id of our own as parent, or a new trace.
[[nodiscard]] TraceContext continue_trace(std::optional<std::string_view> traceparent,
                                          Random& random);

}  // namespace bos::gateway
