#pragma once

#include "eventstore/event_log.h"
#include "eventstore/high_water_mark.h"
#include "eventstore/index_tail.h"
#include "eventstore/log_database.h"
#include "eventstore/log_indexer.h"
#include "eventstore/record_index.h"

#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bos::eventstore {

/// A row of whoever fills the database, written with the records that it belongs to.
struct LogNote {
    std::string key;  ///< one of log_rows
    std::string value;
};

/// The log's database: all tenants' records in append order, and the index to find them again
/// (rows: log_rows.h). Reads of the embedded log and of a node's replica of a Kafka log.
///
/// A write puts the records alone into the database. Their index is in memory (index_tail.h) until
/// a thread moves it to the tables in bulk (index_bulk.h); what the tables do not have of it when
/// the log is opened is made again from the records.
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

    /// The last record of all.
    [[nodiscard]] Result<Mark> end() const;
    /// Errors: corrupt when the index knows of records that are not there, and so finds what is
    /// gone. Nothing may be written then, except after reindex().
    [[nodiscard]] Result<void> check_index() const;
    /// Makes the index anew from the records.
    [[nodiscard]] Result<void> reindex();
    /// The bytes at a place in append order. Errors: not_found.
    [[nodiscard]] Result<std::string> record(std::uint64_t sequence) const;

    // As EventLog promises.
    [[nodiscard]] Result<Head> head(const TenantId& tenant) const;
    [[nodiscard]] Result<std::string> read(const TenantId& tenant, Position position) const;
    [[nodiscard]] Result<void> scan(const TenantId& tenant, Position from, Position to,
                                    const EventLog::Visit& visit) const;
    [[nodiscard]] Result<void> scan_links(const TenantId& tenant, Position from, Position to,
                                          const EventLog::VisitLink& visit) const;
    [[nodiscard]] Result<std::vector<EventAddress>> stream(const TenantId& tenant,
                                                           const StreamId& stream, Version from,
                                                           std::size_t limit) const;
    [[nodiscard]] Result<std::optional<Position>> find_key(const TenantId& tenant,
                                                           std::string_view key) const;
    [[nodiscard]] Result<std::vector<TenantId>> tenants() const;

    /// Writes the records after `end`, all or none, synced; then they are found. Each continues its
    /// tenant's chain. Blocks while the index in memory is at its bound. Errors: full = nothing was
    /// written, and nothing can be until reopen(); anything else is the end of this database in
    /// this process.
    [[nodiscard]] Result<void> write(std::uint64_t end, std::span<const RecordView> records);

    /// As write(), with `notes` in the same batch, and not synced: what a power loss takes is
    /// filled in again.
    [[nodiscard]] Result<void> fill(std::uint64_t end, std::span<const RecordView> records,
                                    std::span<const LogNote> notes);
    /// As fill(), for so many records that a file of them is quicker than a batch. `notes` are
    /// written and durable first, so a crash may leave them without the records: they have to be
    /// true of both. Then the records are there, all or none, durable.
    [[nodiscard]] Result<void> fill_in_bulk(std::uint64_t end, std::span<const RecordView> records,
                                            std::span<const LogNote> notes);
    /// Of a replica.
    [[nodiscard]] Result<std::optional<std::string>> note(const std::string& key) const;

    /// Closes and opens the database: the way out of RocksDB's error state after a full disk, by
    /// the same recovery as after a crash. Errors: full = there is no space for it yet; it can be
    /// read.
    [[nodiscard]] Result<void> reopen();

    [[nodiscard]] const LogTablesOptions& options() const { return options_; }

  private:
    enum class Sync { yes, no };

    explicit LogTables(LogTablesOptions options);
    [[nodiscard]] Result<void> write(std::uint64_t end, std::span<const RecordView> records,
                                     std::span<const LogNote> notes, Sync sync);
    [[nodiscard]] Result<void> open_database(bool read_only);
    [[nodiscard]] Result<void> index_tail_of(const LogDatabase& database);
    [[nodiscard]] Result<void> move_oldest(const LogDatabase& database);
    [[nodiscard]] Result<void> move_oldest();

    // Constant after construction.
    const LogTablesOptions options_;

    mutable std::shared_mutex mutex_;        ///< shared: using database_; exclusive: replacing it
    std::unique_ptr<LogDatabase> database_;  ///< null when reopening failed
    bool writable_ = false;                  ///< replaced with database_
    IndexTail tail_;                         ///< thread-safe; replaced with database_

    std::unique_ptr<LogIndexer> indexer_;  ///< null: read_only
};

}  // namespace bos::eventstore
