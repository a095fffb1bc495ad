#pragma once

#include "eventstore/log_database.h"

#include <rocksdb/sst_file_writer.h>

#include <string>
#include <string_view>

namespace bos::eventstore {

/// Rows that become a part of a family in one atomic and durable step: a file of RocksDB's own
/// format is made beside the database and then ingested. For rows after all others of the family,
/// or for a family that gets none in any other way: releases of RocksDB before 7.10 misorder files
/// that overlap what came through the memtable.
class SortedFile {
  public:
    /// `name`: of the file, without its suffix; never that of another file of this process.
    SortedFile(const LogDatabase& database, rocksdb::ColumnFamilyHandle* family,
               std::string_view name);

    [[nodiscard]] Result<void> begin();
    /// In the order of the keys.
    [[nodiscard]] Result<void> put(std::string_view key, std::string_view value);
    /// Errors: full = nothing changed, or the rows are there all the same.
    [[nodiscard]] Result<void> ingest();

  private:
    const LogDatabase& database_;
    rocksdb::ColumnFamilyHandle* const family_;
    const std::string path_;
    rocksdb::SstFileWriter writer_;
};

/// Removes what crashes left of such files in the database's folder, if there is one.
[[nodiscard]] Result<void> remove_unfinished_files(rocksdb::Env& env, const std::string& path);

}  // namespace bos::eventstore
