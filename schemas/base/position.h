#pragma once

#include "schemas/base/uuid.h"

#include <array>
#include <compare>
#include <cstdint>

namespace bos {

/// Where a commit stands in its tenant's log: 1, 2, 3 … without gaps. 0 is "before the first".
struct Position {
    std::uint64_t value = 0;

    friend auto operator<=>(const Position&, const Position&) = default;
    [[nodiscard]] Position next() const { return Position{value + 1}; }
};

/// How many events a stream has: the first event of a stream is version 1.
struct Version {
    std::uint64_t value = 0;

    friend auto operator<=>(const Version&, const Version&) = default;
    [[nodiscard]] Version next() const { return Version{value + 1}; }
};

/// One aggregate's events. `type` is the stable number that the module's schema gives to the
/// aggregate.
struct StreamId {
    std::uint16_t type = 0;
    Uuid id;

    friend auto operator<=>(const StreamId&, const StreamId&) = default;
};

/// SHA-256 of a record's exact bytes. All zero stands before a tenant's first record.
struct Hash {
    std::array<std::uint8_t, 32> bytes{};

    friend auto operator<=>(const Hash&, const Hash&) = default;
};

}  // namespace bos

template <>
struct std::hash<bos::StreamId> {
    std::size_t operator()(const bos::StreamId& stream) const noexcept {
        return std::hash<bos::Uuid>{}(stream.id) * 31 + stream.type;
    }
};
