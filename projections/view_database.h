#pragma once

#include "projections/view_changes.h"
#include "projections/view_store_options.h"
#include "schemas/base/result.h"

#include <rocksdb/db.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace bos::projections {

/// The RocksDB database of the views with its column families (layout: row_key.h). Writes go to the
/// write-ahead log and are not synced: a power loss takes the newest ones, and the views catch up
/// from the log of events.
///
/// Thread-safe.
class ViewDatabase {
  public:
    /// Errors: corrupt when the files cannot be this version's store, unavailable when they cannot
    /// be opened now (locked, no space, I/O).
    [[nodiscard]] static Result<std::unique_ptr<ViewDatabase>> open(
        const ViewStoreOptions& options);
    /// Deletes every file of the store.
    [[nodiscard]] static Result<void> remove(const ViewStoreOptions& options);

    ~ViewDatabase();
    ViewDatabase(const ViewDatabase&) = delete;
    ViewDatabase& operator=(const ViewDatabase&) = delete;

    [[nodiscard]] rocksdb::DB& db() const { return *db_; }
    [[nodiscard]] rocksdb::ColumnFamilyHandle* head() const { return families_[1]; }
    [[nodiscard]] rocksdb::ColumnFamilyHandle* graves() const { return families_[2]; }
    [[nodiscard]] rocksdb::ColumnFamilyHandle* history() const { return families_[3]; }
    [[nodiscard]] rocksdb::ColumnFamilyHandle* meta() const { return families_[4]; }

    [[nodiscard]] Result<void> write(rocksdb::WriteBatch& batch) const;

    /// Of a file to be made beside the database's and taken into it. Never given twice; what a
    /// crash leaves under such a name is removed by open().
    [[nodiscard]] std::string new_file_path() const;
    /// Told of every write that readers at the head may see.
    [[nodiscard]] ViewChanges& changes() const { return changes_; }
    /// Bytes of rows from which on a build writes files, see WriteSession.
    [[nodiscard]] std::size_t file_bytes_min() const { return file_bytes_min_; }

  private:
    ViewDatabase() = default;

    mutable ViewChanges changes_;
    std::size_t file_bytes_min_ = 0;
    mutable std::atomic<std::uint64_t> files_made_ = 0;

    std::unique_ptr<rocksdb::Env> env_;  // of the database: outlives it
    std::unique_ptr<rocksdb::DB> db_;
    std::vector<rocksdb::ColumnFamilyHandle*> families_;  // default, head, graves, history, meta
};

/// How rows are read; `snapshot` null: as they are now. Range tombstones are not looked at: they
/// cover dropped generations only, whose numbers are never given again. And an iterator of RocksDB
/// 7.8 that steps over the bound of one may take a failed read for its end.
[[nodiscard]] rocksdb::ReadOptions rows_at(const rocksdb::Snapshot* snapshot);

/// The one translation of RocksDB's outcomes. `doing` says what was tried: "read a row".
[[nodiscard]] Error error_of(const rocksdb::Status& status, std::string_view doing);

/// Of a row whose value is too short for what stands before it (row_key.h).
[[nodiscard]] Error corrupt_row();

}  // namespace bos::projections
