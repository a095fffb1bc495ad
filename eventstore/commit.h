#pragma once

#include "schemas/base/actor.h"
#include "schemas/base/position.h"
#include "schemas/base/result.h"
#include "schemas/base/tenant.h"
#include "schemas/base/time.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bos::eventstore {

/// Bounds of one record. An engine refuses to append a larger one with `invalid`.
inline constexpr std::size_t record_bytes_max = 8 * 1024 * 1024;
inline constexpr std::uint32_t events_max = 10'000;

/// One fact inside a commit. The event store never looks into `payload`.
struct RecordedEvent {
    std::string type;  ///< leads.lead-captured.v1
    std::uint16_t number = 0;
    std::uint16_t schema_version = 1;
    StreamId stream;
    Version version;      ///< of the stream, after this event
    std::string payload;  ///< the event's FlatBuffer

    friend bool operator==(const RecordedEvent&, const RecordedEvent&) = default;
};

/// One command's outcome: all of its events or none. Field by field as in commit.fbs.
struct Commit {
    TenantId tenant;
    Position position;
    Hash previous_hash;
    Timestamp recorded_at;
    std::string command;
    std::string key;
    Hash fingerprint;
    Actor actor;
    std::optional<Actor> on_behalf_of;
    Uuid correlation;
    Position causation;
    std::uint8_t depth = 0;
    std::string grant;
    Uuid target;             ///< nil = none
    Version target_version;  ///< of a commit without events; 0 = an event tells it
    std::vector<RecordedEvent> events;

    friend bool operator==(const Commit&, const Commit&) = default;
};

/// The bytes that are stored, hashed and, on Kafka, produced. Deterministic.
[[nodiscard]] std::string encode(const Commit& commit);

/// Verifies the buffer (depth and table count bounded, exact length, identifier, tenant syntax, no
/// parts that overlap) before reading it. Errors: corrupt. `record` need not be aligned.
[[nodiscard]] Result<Commit> decode(std::string_view record);

/// A record's place in its chain, read without decoding its events.
struct Link {
    TenantId tenant;
    Position position;
    Hash previous_hash;
    Timestamp recorded_at;
};
[[nodiscard]] Result<Link> link_of(std::string_view record);

/// SHA-256 over the record's exact bytes: the next record's previous_hash.
[[nodiscard]] Hash hash_of(std::string_view record);

}  // namespace bos::eventstore
