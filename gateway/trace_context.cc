#include "gateway/trace_context.h"

#include "schemas/base/digest.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace bos::gateway {

namespace {

constexpr std::size_t version_00_size = 55;

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool read_hex(std::string_view text, std::span<std::uint8_t> out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
        const int high = hex_value(text[2 * i]);
        const int low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return true;
}

template <std::size_t size>
std::string hex(const std::array<std::uint8_t, size>& bytes) {
    return to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

bool is_zero(std::span<const std::uint8_t> bytes) {
    return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view text) {
    // 00-<32 trace id>-<16 parent id>-<2 flags>
    if (text.size() < version_00_size || text[2] != '-' || text[35] != '-' || text[52] != '-') {
        return std::nullopt;
    }
    std::array<std::uint8_t, 1> version{};
    std::array<std::uint8_t, 1> flags{};
    TraceContext context;
    if (!read_hex(text, version) || !read_hex(text.substr(3), context.trace_id.bytes) ||
        !read_hex(text.substr(36), context.parent_id) || !read_hex(text.substr(53), flags)) {
        return std::nullopt;
    }
    const bool has_more = text.size() > version_00_size;
    if (version[0] == 0xFF || (version[0] == 0 && has_more)) return std::nullopt;
    if (has_more && text[version_00_size] != '-') return std::nullopt;
    if (context.trace_id.is_nil() || is_zero(context.parent_id)) return std::nullopt;
    context.sampled = (flags[0] & 1) != 0;
    return context;
}

std::string to_traceparent(const TraceContext& context) {
    return fmt::format("00-{}-{}-{}", hex(context.trace_id.bytes), hex(context.parent_id),
                       context.sampled ? "01" : "00");
}

TraceContext continue_trace(std::optional<std::string_view> traceparent, Random& random) {
    std::optional<TraceContext> context;
    if (traceparent) context = parse_traceparent(*traceparent);
    if (!context) {
        context.emplace();
        while (context->trace_id.is_nil()) random.fill(context->trace_id.bytes);
    }
    do {
        random.fill(context->parent_id);
    } while (is_zero(context->parent_id));
    return *context;
}

}  // namespace bos::gateway
