#pragma once

#include "projections/row_destination.h"
#include "projections/slices.h"
#include "projections/view_database.h"

#include <rocksdb/write_batch.h>

namespace bos::projections {

/// Rows as one write of the database: for few of them, which readers wait for.
class RowBatch final : public RowDestination {
  public:
    /// `database` outlives the batch.
    explicit RowBatch(const ViewDatabase& database) : database_(database) {}

    // A batch only refuses sizes that a row cannot have; the write reports what it did not take.

    Result<void> put(rocksdb::ColumnFamilyHandle* family, std::string_view key,
                     std::string_view value) override {
        static_cast<void>(batch_.Put(family, slice_of(key), slice_of(value)));
        return {};
    }
    Result<void> erase(rocksdb::ColumnFamilyHandle* family, std::string_view key) override {
        static_cast<void>(batch_.Delete(family, slice_of(key)));
        return {};
    }
    Result<void> end_range() override { return {}; }
    Result<void> commit() override { return database_.write(batch_); }

  private:
    const ViewDatabase& database_;
    rocksdb::WriteBatch batch_;
};

}  // namespace bos::projections
