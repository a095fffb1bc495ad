#pragma once

#include "eventstore/end_process.h"
#include "eventstore/log_rows.h"
#include "eventstore/record_tail.h"
#include "eventstore/step.h"
#include "schemas/base/result.h"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>

namespace bos::eventstore {

struct LogTablesOptions {
    std::string path;                               ///< the database's own folder
    rocksdb::Env* env = nullptr;                    ///< outlives the tables
    Fatal fatal = end_process;                      ///< on a background error of the database
    std::size_t cache_bytes = 64 * 1024 * 1024;     ///< blocks, indexes and filters together
    std::size_t memtable_bytes = 32 * 1024 * 1024;  ///< all memtables together
    /// Entries of the index that are written to the tables at once, and a quarter of what may wait
    /// in memory; one takes up to 100 bytes there.
    std::size_t bulk_entries = 96 * 1024;
    /// Sees the log as it is at open, beside a process that writes to it; write() is then our own
    /// bug.
    bool read_only = false;
    /// Its records can be had again from elsewhere (a replica): after whatever kind of end any
    /// earlier state of it will do. It is filled, not written.
    bool refillable = false;
    /// Of a replica: what is in memory alone.
    RecordTail::Bounds held = {};
    /// Of a replica: portions of so many bytes become files that RocksDB takes in, smaller ones
    /// batches.
    std::size_t file_bytes = 4 * 1024 * 1024;
    /// None = a thread of its own moves the index to the tables.
    Post post = {};
};

/// The log's open RocksDB; closes in its destructor.
///
/// Thread-safe.
class LogDatabase {
  public:
    /// Errors: corrupt when the database is damaged, unavailable when it is in use or cannot be
    /// read.
    [[nodiscard]] static Result<std::unique_ptr<LogDatabase>> open(const LogTablesOptions& options);
    ~LogDatabase();
    LogDatabase(const LogDatabase&) = delete;
    LogDatabase& operator=(const LogDatabase&) = delete;

    [[nodiscard]] rocksdb::DB& db() const { return *db_; }
    [[nodiscard]] const LogFamilies& families() const { return families_; }
    [[nodiscard]] std::unique_ptr<rocksdb::Iterator> iterate(
        const rocksdb::ReadOptions& read, rocksdb::ColumnFamilyHandle* family) const {
        return std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(read, family));
    }

    /// Writes rows, all or none. Errors: full = the database takes no more until it is opened anew.
    [[nodiscard]] Result<void> write(const rocksdb::WriteOptions& options,
                                     rocksdb::WriteBatch& batch) const;
    /// What was written is durable. Errors: full, as write().
    [[nodiscard]] Result<void> sync() const;

    /// Throws the index away. Before anything else uses the database.
    [[nodiscard]] Result<void> clear_index();

  private:
    LogDatabase() = default;

    std::unique_ptr<rocksdb::DB> db_;
    LogFamilies families_;

    /// RocksDB asserts, in the builds that Debian has, that nobody syncs a write-ahead log after a
    /// write to it has failed: so they take turns.
    mutable std::mutex wal_mutex_;
    mutable Result<void> wal_;  ///< guarded by wal_mutex_; why it cannot be used any more
};

}  // namespace bos::eventstore
