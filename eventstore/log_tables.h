#pragma once

#include "eventstore/event_log.h"
#include "eventstore/high_water_mark.h"
#include "eventstore/index_tail.h"
#include "eventstore/log_database.h"
#include "eventstore/record_index.h"
#include "eventstore/record_tail.h"
#include "eventstore/tail_mover.h"

#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bos::eventstore {

/// The log's database: all tenants' records in append order, and the index to find them again
/// (rows: log_rows.h). Reads of the embedded log and of a node's replica of a Kafka log.
///
/// A write puts the records alone into the database. Their index is in memory (index_tail.h) until
/// a thread moves it to the tables in bulk (index_bulk.h); what the tables do not have of it when
/// the log is opened is made again from the records.
///
/// A replica's newest records are in memory too (record_tail.h), until another thread writes them.
/// All look-ups know them; a process that is killed loses them.
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

    /// The last record of all that the tables have.
    [[nodiscard]] Result<Mark> end() const;
    /// Errors: corrupt when the index knows of records that are not there, and so finds what is
    /// gone. Nothing may be written then, except after reindex().
    [[nodiscard]] Result<void> check_index() const;
    /// Makes the index anew from the records.
    [[nodiscard]] Result<void> reindex();
    /// The bytes at a place in append order, in the tables. Errors: not_found.
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

    /// Of a replica, instead of write(): adds the records after all others, of which each continues
    /// its tenant's chain and each tenant's last one has an origin; then they are found. They are
    /// written later, all or none. Blocks while what waits for that is at its bound. Errors: full =
    /// nothing was added, and nothing can be until reopen().
    [[nodiscard]] Result<void> fill(std::span<const RecordView> records,
                                    std::span<const Origin> origins);
    /// What was filled in is in the tables. Blocks. Errors: full.
    [[nodiscard]] Result<void> settle();
    /// The disk was full when something was to be written, and it could not be since.
    [[nodiscard]] bool is_stuck() const;
    /// Where the tenant's last record, which is at `position`, stands in its topic.
    [[nodiscard]] Result<std::optional<Offset>> origin(const TenantId& tenant,
                                                       Position position) const;
    /// Of a replica: a row of log_rows.
    [[nodiscard]] Result<std::optional<std::string>> note(const std::string& key) const;
    [[nodiscard]] Result<void> set_note(const std::string& key, const std::string& value);

    /// Closes and opens the database: the way out of RocksDB's error state after a full disk, by
    /// the same recovery as after a crash. What is in memory alone stays there. Errors: full =
    /// there is no space for it yet; it can be read.
    [[nodiscard]] Result<void> reopen();

    [[nodiscard]] const LogTablesOptions& options() const { return options_; }

  private:
    explicit LogTables(LogTablesOptions options);
    [[nodiscard]] Result<void> open_database(bool read_only);
    [[nodiscard]] Result<void> index_newest_of(const LogDatabase& database);
    [[nodiscard]] Result<std::uint64_t> index_tail_of(const LogDatabase& database);
    [[nodiscard]] Result<void> move_oldest(const LogDatabase& database);
    [[nodiscard]] Result<void> move_oldest();
    [[nodiscard]] Result<void> write_oldest();
    void start_movers();
    [[nodiscard]] std::optional<RecordTail::Found> in_memory_alone(std::uint64_t sequence) const;

    // Constant after construction.
    const LogTablesOptions options_;

    mutable std::shared_mutex mutex_;        ///< shared: using database_; exclusive: replacing it
    std::unique_ptr<LogDatabase> database_;  ///< null when reopening failed
    bool writable_ = false;                  ///< replaced with database_
    IndexTail tail_;                         ///< thread-safe; replaced with database_
    RecordTail records_;                     ///< thread-safe; empty: not a replica

    std::unique_ptr<TailMover<IndexTail>> indexer_;         ///< null: read_only
    std::unique_ptr<TailMover<RecordTail>> record_writer_;  ///< null: read_only, or no replica
};

}  // namespace bos::eventstore
