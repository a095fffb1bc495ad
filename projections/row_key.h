#pragma once

#include "schemas/base/keys.h"
#include "schemas/base/position.h"
#include "schemas/base/tenant.h"

#include <cstdint>
#include <string>
#include <string_view>

/// Keys of the view store. Numbers are big endian, `tenant` is KeyWriter::text.
///
///     head      key    tenant | u16 view | u32 generation | row key
///               value  u64 position | row
///     graves    key    as in head
///               value  u64 position of the deletion | u64 position | row
///     history   key    as in head | u64 ~position
///               value  u8 kind (0 deleted, 1 row) | row
///     meta      see tenant_meta.h
///
/// A row stands in head or in graves, never in both; a grave also has the row as it was last. What
/// it was before that stands in history, newest first. `generation` lets a view be built anew
/// beside the one that is read. A row without a past (past.h) stands in head alone, with
/// `of_now` in the place of its position. A row key starts with the number of its table inside the
/// view (u8), and no row key of a view may be a prefix of another: KeyWriter sees to that when all
/// keys of a table have the same parts.
///
/// Example: tenant "acme", view 7, generation 2, table 0, id 018f…01, written at 5 and again at 9:
///     head      key    61 63 6d 65 00 01 | 00 07 | 00 00 00 02 | 00 01 8f … 01
///               value  00 … 09 | new row
///     history   key    61 63 6d 65 00 01 | 00 07 | 00 00 00 02 | 00 01 8f … 01 | ff … fa
///               value  01 | old row
namespace bos::projections {

inline constexpr std::size_t position_bytes = 8;
inline constexpr Position of_now{~std::uint64_t{0}};

inline std::string row_prefix(const TenantId& tenant, std::uint16_t view,
                              std::uint32_t generation) {
    return KeyWriter().text(tenant.value()).u16(view).u32(generation).take();
}

inline void append_be64(std::string& out, std::uint64_t value) {
    char bytes[position_bytes];
    for (std::size_t i = 0; i < position_bytes; ++i) {
        bytes[i] = static_cast<char>((value >> (56 - 8 * i)) & 0xFF);
    }
    out.append(bytes, position_bytes);
}

/// `bytes` has at least eight.
inline std::uint64_t read_be64(std::string_view bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < position_bytes; ++i) {
        value = value << 8 | static_cast<std::uint8_t>(bytes[i]);
    }
    return value;
}

inline void append_history_suffix(std::string& key, Position position) {
    append_be64(key, ~position.value);
}

/// First byte of a value in history.
inline constexpr char history_deleted = 0;
inline constexpr char history_row = 1;

}  // namespace bos::projections
