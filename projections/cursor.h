#pragma once

#include "projections/view_reader.h"
#include "schemas/base/position.h"
#include "schemas/base/result.h"
#include "schemas/base/tenant.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bos::projections {

/// The first half of the SHA-256 of everything that makes a list this list: who asks, in which
/// scope and group, with which filter.
using ListDigest = std::array<std::uint8_t, 16>;

/// Where a list goes on: after the row that stands at `index_key`.
struct Cursor {
    std::uint16_t view = 0;
    std::uint8_t index = 0;  ///< the view's index table
    std::uint8_t sort = 0;
    Direction direction = Direction::forward;
    ListDigest list{};
    bool is_as_of = false;
    Position position;      ///< the list's as_of, or where its first page was read
    std::string index_key;  ///< sort key | id

    friend bool operator==(const Cursor&, const Cursor&) = default;
};

/// The cursor as a client gets it: opaque, and good only for the tenant whose secret it is signed
/// with.
///
///     base64url( u8 format (1) | u16 view | u8 index | u8 sort | u8 direction (0 forward, 1
///     backward) |
///                16 bytes list digest | u8 is_as_of | u64 position | index key |
///                16 bytes of HMAC-SHA-256(secret, "bos.cursor" | tenant | all before) )
[[nodiscard]] std::string to_text(const Cursor& cursor, const TenantId& tenant,
                                  std::string_view secret);

/// Errors: invalid when it was altered, cut, or signed for another tenant.
[[nodiscard]] Result<Cursor> read_cursor(std::string_view text, const TenantId& tenant,
                                         std::string_view secret);

}  // namespace bos::projections
