#pragma once

#include "projections/row_destination.h"
#include "projections/view_database.h"

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace bos::projections {

/// Rows as files of RocksDB's own format, made beside the database and taken into it together, in
/// one durable step: for many of them, which no memtable and no write-ahead log has to carry.
///
/// Only for ranges that nothing has come into through the memtable: releases of RocksDB before 7.10
/// misorder files that overlap it. So no file has rows of two ranges.
class RowFiles final : public RowDestination {
  public:
    /// `database` outlives the files.
    explicit RowFiles(const ViewDatabase& database);
    /// Removes what was not committed.
    ~RowFiles() override;

    Result<void> put(rocksdb::ColumnFamilyHandle* family, std::string_view key,
                     std::string_view value) override;
    Result<void> erase(rocksdb::ColumnFamilyHandle* family, std::string_view key) override;
    Result<void> end_range() override;
    /// What was written to the database without a sync is synced first: what says whose the rows
    /// are never is lost where the rows are not.
    Result<void> commit() override;

  private:
    class File;

    [[nodiscard]] Result<File*> file_of(rocksdb::ColumnFamilyHandle* family);

    const ViewDatabase& database_;
    std::vector<std::unique_ptr<File>> open_;  // of this range, one for each family
    std::map<rocksdb::ColumnFamilyHandle*, std::vector<std::string>> finished_;  // their paths
};

}  // namespace bos::projections
