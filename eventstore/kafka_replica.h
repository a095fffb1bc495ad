#pragma once

#include "eventstore/file_lock.h"
#include "eventstore/kafka_chain.h"
#include "eventstore/log_tables.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace bos::eventstore {

struct KafkaReplicaOptions {
    std::string path;             ///< the database's folder; <path>.lock stands beside it
    rocksdb::Env* env = nullptr;  ///< null = the machine's
    std::size_t cache_bytes = 64 * 1024 * 1024;
    std::size_t memtable_bytes = 16 * 1024 * 1024;
    std::size_t bulk_entries = LogTablesOptions{}.bulk_entries;
    RecordTail::Bounds held = {};  ///< of what is in memory alone
    std::size_t file_bytes = LogTablesOptions{}.file_bytes;
    std::uint64_t free_bytes_min = 128 * 1024 * 1024;
    Fatal fatal = end_process;
};

/// A node's copy of the logs that it reads from Kafka: every read is answered from it. It holds
/// only valid records, and knows for each tenant where its last one stands in the topic; so reading
/// goes on from there after whatever kind of end. Nothing in it is the only copy: its newest
/// records, of a second or so, are in memory alone, and what was written last is not synced
/// (docs/decisions/0027).
///
/// Thread-safe for reads; write(), make_room() and set_cluster_id() on one thread.
class KafkaReplica {
  public:
    /// Errors: corrupt = damaged; the folder may be deleted, and is filled again from the topics.
    /// unavailable = in use by another process.
    [[nodiscard]] static Result<std::unique_ptr<KafkaReplica>> open(
        const KafkaReplicaOptions& options);

    [[nodiscard]] const LogTables& tables() const { return *tables_; }

    [[nodiscard]] Result<std::optional<std::string>> cluster_id() const;
    [[nodiscard]] Result<void> set_cluster_id(const std::string& id);

    /// Where a tenant's copy ends.
    struct End {
        Head head;
        std::optional<Offset> offset;  ///< of the head's record; none: no record
        Timestamp recorded_at;         ///< of the head's record
    };
    [[nodiscard]] Result<End> end(const TenantId& tenant) const;

    /// All or none; then they are found. Errors: full = nothing was added; make_room() tells when
    /// it may be tried again.
    [[nodiscard]] Result<void> write(std::span<const RecordView> records,
                                     std::span<const Origin> origins);

    /// All that was written is in the tables: for who looks at them from outside. Blocks. Errors:
    /// full.
    [[nodiscard]] Result<void> settle() { return tables_->settle(); }

    /// There is room for `bytes` of records. Errors: full.
    [[nodiscard]] Result<void> make_room(std::uint64_t bytes);

  private:
    explicit KafkaReplica(const KafkaReplicaOptions& options) : options_(options) {}

    // Constant after construction; they go down in the reverse order.
    const KafkaReplicaOptions options_;
    std::unique_ptr<rocksdb::Env> env_;
    std::unique_ptr<FileLock> lock_;
    std::unique_ptr<LogTables> tables_;

    bool full_ = false;  ///< the last write was refused; touched only by the thread that writes
};

}  // namespace bos::eventstore
