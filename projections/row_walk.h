#pragma once

#include "projections/slices.h"
#include "projections/view_database.h"
#include "projections/view_reader.h"

#include <memory>
#include <string>
#include <string_view>

namespace bos::projections {

/// lower <= key < upper
struct RowRange {
    std::string lower;
    std::string upper;

    /// The bound that a walk in this direction comes from, and the one that it comes to.
    [[nodiscard]] std::string& begin_in(Direction direction) {
        return direction == Direction::forward ? lower : upper;
    }
    [[nodiscard]] std::string& end_in(Direction direction) {
        return direction == Direction::forward ? upper : lower;
    }
};

/// The rows of one column family in a range, in one direction. Whoever comes to its end asks
/// status(): a walk that failed looks like one that has ended. What it is given outlives it.
class RowWalk {
  public:
    RowWalk(const ViewDatabase& database, rocksdb::ColumnFamilyHandle* family,
            const rocksdb::Snapshot* snapshot, const RowRange& range, Direction direction)
        : lower_(range.lower), upper_(range.upper), forward_(direction == Direction::forward) {
        rocksdb::ReadOptions options = rows_at(snapshot);
        options.iterate_lower_bound = &lower_;
        options.iterate_upper_bound = &upper_;
        iterator_.reset(database.db().NewIterator(options, family));
        forward_ ? iterator_->SeekToFirst() : iterator_->SeekToLast();
    }
    RowWalk(const RowWalk&) = delete;
    RowWalk& operator=(const RowWalk&) = delete;

    [[nodiscard]] bool valid() const { return iterator_->Valid(); }
    [[nodiscard]] rocksdb::Status status() const { return iterator_->status(); }
    [[nodiscard]] std::string_view key() const { return view_of(iterator_->key()); }
    [[nodiscard]] std::string_view value() const { return view_of(iterator_->value()); }
    void next() { forward_ ? iterator_->Next() : iterator_->Prev(); }

  private:
    rocksdb::Slice lower_;
    rocksdb::Slice upper_;
    bool forward_;
    std::unique_ptr<rocksdb::Iterator> iterator_;
};

}  // namespace bos::projections
