#pragma once

#include "eventstore/event_log.h"

#include <rocksdb/db.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bos::eventstore {

/// The rows of the log's database: how each row's key and value read. Worked example in
/// docs/formats.md. Numbers are big endian; text is KeyWriter's.
///
///   records   sequence u64                          -> the record's bytes
///   index     'r' tenant block u64                  -> 64 positions: see PositionBlock
///   index     's' tenant type u16 id 16 version u64 -> position u64, index u32: of the event with
///                                                     this version; then of the next ones, up to
///                                                     16 in a row
///   index     'k' tenant SHA-256(key) 32            -> position u64
///   index     'e'                                   -> sequence u64
///   index     'p' tenant position u64               -> sequence u64, hash 32: of earlier releases
///   notes     'o' tenant                            -> offset u64
///   notes     'b' tenant                            -> position u64, offset u64
///   notes     'c'                                   -> id of the cluster
///
/// The notes are those of a replica of topics.
///
/// `sequence` counts records over all tenants in the order in which they were appended: 1, 2, 3 …
/// The row 'e' names the last record that the index has; those after it are indexed in memory.
struct LogFamilies {
    rocksdb::ColumnFamilyHandle* records = nullptr;
    rocksdb::ColumnFamilyHandle* index = nullptr;
    rocksdb::ColumnFamilyHandle* notes = nullptr;  ///< null: not a replica
};

namespace log_rows {

[[nodiscard]] std::string record_key(std::uint64_t sequence);
[[nodiscard]] std::optional<std::uint64_t> sequence_of(std::string_view key);

/// Where the records of a tenant's positions stand, 64 to a row: from the one at `first`, which is
/// the beginning of its block unless the rows before it are of an earlier release.
struct PositionBlock {
    static constexpr std::uint64_t positions = 64;

    Position first;
    std::vector<std::uint64_t> sequences;  ///< rising, of first, first + 1, …; never none
    std::optional<Hash> hash;              ///< of the last record; none: another block follows

    [[nodiscard]] Position last() const { return Position{first.value + sequences.size() - 1}; }
    [[nodiscard]] bool is_full() const { return last().value % positions == positions - 1; }
};
[[nodiscard]] std::string all_blocks();
[[nodiscard]] std::string blocks_of(const TenantId& tenant);
/// Of the block that has `position`.
[[nodiscard]] std::string block_key(const TenantId& tenant, Position position);
/// Tenant of a key that starts with all_blocks().
[[nodiscard]] std::optional<TenantId> tenant_of_block(std::string_view key);
[[nodiscard]] std::string block_value(const PositionBlock& block);
[[nodiscard]] std::optional<PositionBlock> block_row(std::string_view key, std::string_view value);

// Rows of earlier releases: one for each position.
[[nodiscard]] std::string all_positions();
[[nodiscard]] std::string positions_of(const TenantId& tenant);
[[nodiscard]] std::string position_key(const TenantId& tenant, Position position);
struct PositionRow {
    std::uint64_t sequence = 0;
    Hash hash;
};
[[nodiscard]] std::optional<PositionRow> position_row(std::string_view value);
/// Tenant and position of a key that starts with all_positions().
[[nodiscard]] std::optional<std::pair<TenantId, Position>> position_of(std::string_view key);

[[nodiscard]] std::string stream_prefix(const TenantId& tenant, const StreamId& stream);
[[nodiscard]] std::string stream_key(const TenantId& tenant, const StreamId& stream,
                                     Version version);
/// Events with versions that follow each other, in one row.
inline constexpr std::size_t events_of_row_max = 16;
[[nodiscard]] std::optional<std::vector<EventAddress>> addresses_of(std::string_view key,
                                                                    std::string_view value);

[[nodiscard]] std::string key_key(const TenantId& tenant, const Hash& key_digest);
[[nodiscard]] std::optional<Position> key_row(std::string_view value);
/// What the keys of a tenant's idempotency keys start with; the digest follows.
[[nodiscard]] std::string keys_of(const TenantId& tenant);

[[nodiscard]] std::string key_value(Position position);
[[nodiscard]] std::string address_value(Position position, std::uint32_t index);

[[nodiscard]] std::string end_key();
[[nodiscard]] std::string end_value(std::uint64_t sequence);
[[nodiscard]] std::optional<std::uint64_t> end_row(std::string_view value);

/// Where the tenant's last record stands in its topic.
[[nodiscard]] std::string origin_key(const TenantId& tenant);
[[nodiscard]] std::string origin_value(std::uint64_t offset);
[[nodiscard]] std::optional<std::uint64_t> origin_row(std::string_view value);
/// The same of the last record of a bulk, written before it: true once the tenant ends there.
struct AnnouncedRow {
    Position position;
    std::uint64_t offset = 0;
};
[[nodiscard]] std::string announced_key(const TenantId& tenant);
[[nodiscard]] std::string announced_value(const AnnouncedRow& row);
[[nodiscard]] std::optional<AnnouncedRow> announced_row(std::string_view value);
/// Which Kafka cluster the records come from.
[[nodiscard]] std::string cluster_key();

}  // namespace log_rows

}  // namespace bos::eventstore
