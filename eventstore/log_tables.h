#pragma once

#include "eventstore/end_process.h"
#include "eventstore/event_log.h"
#include "eventstore/high_water_mark.h"
#include "eventstore/record_index.h"

#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bos::eventstore {

struct LogTablesOptions {
    std::string path;                               ///< the database's own folder
    rocksdb::Env* env = nullptr;                    ///< outlives the tables
    Fatal fatal = end_process;                      ///< on a background error of the database
    std::size_t cache_bytes = 64 * 1024 * 1024;     ///< blocks, indexes and filters together
    std::size_t memtable_bytes = 32 * 1024 * 1024;  ///< all memtables together
    /// Sees the log as it is at open, beside a process that writes to it; write() is then our own
    /// bug.
    bool read_only = false;
    /// Its records can be had again from elsewhere (a replica): after a power loss any earlier
    /// state of it will do.
    bool refillable = false;
};

/// A record that waits to be written, with what its indexes say.
struct IndexedRecord {
    std::string bytes;
    RecordIndex index;
};

/// A row of whoever fills the database, written with the records that it belongs to.
struct LogNote {
    std::string key;  ///< one of log_rows
    std::string value;
};

/// The log's database: all tenants' records in append order and the indexes to find them again
/// (rows: log_rows.h). Reads of the embedded log and of a node's replica of a Kafka log.
///
/// Thread-safe, except that one thread at a time may write or reopen. Reads wait while it reopens.
class LogTables {
  public:
    /// Errors: corrupt when the database is damaged, unavailable when it is in use or cannot be
    /// read.
    [[nodiscard]] static Result<std::unique_ptr<LogTables>> open(LogTablesOptions options);
    ~LogTables();
    LogTables(const LogTables&) = delete;
    LogTables& operator=(const LogTables&) = delete;

    /// The last record of all. Errors: corrupt when records and index end at different ones.
    [[nodiscard]] Result<Mark> end() const;
    /// The bytes at a place in append order. Errors: not_found.
    [[nodiscard]] Result<std::string> record(std::uint64_t sequence) const;

    // As EventLog promises.
    [[nodiscard]] Result<Head> head(const TenantId& tenant) const;
    [[nodiscard]] Result<std::string> read(const TenantId& tenant, Position position) const;
    [[nodiscard]] Result<void> scan(const TenantId& tenant, Position from, Position to,
                                    const EventLog::Visit& visit) const;
    [[nodiscard]] Result<std::vector<EventAddress>> stream(const TenantId& tenant,
                                                           const StreamId& stream, Version from,
                                                           std::size_t limit) const;
    [[nodiscard]] Result<std::optional<Position>> find_key(const TenantId& tenant,
                                                           std::string_view key) const;
    [[nodiscard]] Result<std::vector<TenantId>> tenants() const;

    /// Writes the records after `end`, all or none, synced. Errors: full = nothing was written, and
    /// nothing can be until reopen(); anything else is the end of this database in this process.
    [[nodiscard]] Result<void> write(std::uint64_t end,
                                     std::span<const IndexedRecord* const> records);

    /// As write(), with `notes` in the same batch, and not synced: what a power loss takes is
    /// filled in again.
    [[nodiscard]] Result<void> fill(std::uint64_t end,
                                    std::span<const IndexedRecord* const> records,
                                    std::span<const LogNote> notes);
    [[nodiscard]] Result<std::optional<std::string>> note(const std::string& key) const;

    /// Closes and opens the database: the way out of RocksDB's error state after a full disk, by
    /// the same recovery as after a crash.
    [[nodiscard]] Result<void> reopen();

    [[nodiscard]] const LogTablesOptions& options() const { return options_; }

  private:
    class Database;

    enum class Sync { yes, no };

    explicit LogTables(LogTablesOptions options);
    [[nodiscard]] Result<void> write(std::uint64_t end,
                                     std::span<const IndexedRecord* const> records,
                                     std::span<const LogNote> notes, Sync sync);

    // Constant after construction.
    const LogTablesOptions options_;

    mutable std::shared_mutex mutex_;     ///< shared: using database_; exclusive: replacing it
    std::unique_ptr<Database> database_;  ///< null when reopening failed
};

}  // namespace bos::eventstore
