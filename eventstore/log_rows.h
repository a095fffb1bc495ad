#pragma once

#include "eventstore/record_index.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bos::eventstore {

/// The rows of the log's database: what one record writes, and how each row's key and value read.
/// Worked example in docs/formats.md. Numbers are big endian; text is KeyWriter's.
///
///   records   sequence u64                          -> the record's bytes
///   index     'p' tenant position u64               -> sequence u64, hash 32
///   index     's' tenant type u16 id 16 version u64 -> position u64, index u32
///   index     'k' tenant SHA-256(key) 32            -> position u64
///   index     'e'                                   -> sequence u64
///   index     'o' tenant                            -> offset u64      (a replica of a topic only)
///   index     'c'                                   -> id of the cluster         (the same)
///
/// `sequence` counts records over all tenants in the order in which they were appended: 1, 2, 3 …
/// The row 'e' names the last record that the index knows, so that a half of the database that fell
/// behind the other is noticed.
struct LogFamilies {
    rocksdb::ColumnFamilyHandle* records = nullptr;
    rocksdb::ColumnFamilyHandle* index = nullptr;
};

/// The rows of the records of one batch: they become durable together or not at all. Index rows go
/// into the batch in the order of their keys. In the order of the records, rows of three kinds take
/// turns and the memtable looks for the place of each anew, which is most of what a write costs.
class RecordRows {
  public:
    /// `record` and `index` stay until put().
    void add(std::uint64_t sequence, std::string_view record, const RecordIndex& index);
    [[nodiscard]] rocksdb::Status put(rocksdb::WriteBatch& batch, const LogFamilies& families);

  private:
    struct Row {
        std::string key;
        std::string value;
        std::size_t number;
    };
    std::vector<std::pair<std::uint64_t, std::string_view>> records_;
    std::vector<Row> index_;
};
/// Once in each batch, after its records.
[[nodiscard]] rocksdb::Status put_end(rocksdb::WriteBatch& batch, const LogFamilies& families,
                                      std::uint64_t sequence);

namespace log_rows {

[[nodiscard]] std::string record_key(std::uint64_t sequence);
[[nodiscard]] std::optional<std::uint64_t> sequence_of(std::string_view key);

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
[[nodiscard]] std::optional<EventAddress> address_of(std::string_view key, std::string_view value);

[[nodiscard]] std::string key_key(const TenantId& tenant, const Hash& key_digest);
[[nodiscard]] std::optional<Position> key_row(std::string_view value);

[[nodiscard]] std::string end_key();
[[nodiscard]] std::optional<std::uint64_t> end_row(std::string_view value);

/// Where the tenant's last record stands in its topic.
[[nodiscard]] std::string origin_key(const TenantId& tenant);
[[nodiscard]] std::string origin_value(std::uint64_t offset);
[[nodiscard]] std::optional<std::uint64_t> origin_row(std::string_view value);
/// Which Kafka cluster the records come from.
[[nodiscard]] std::string cluster_key();

}  // namespace log_rows

}  // namespace bos::eventstore
