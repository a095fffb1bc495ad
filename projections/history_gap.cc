#include "projections/history_gap.h"

#include "projections/slices.h"

namespace bos::projections {

Result<void> HistoryGap::note(std::string_view row_key) {
    known_ = false;
    if (!history_) history_ = in_order();
    history_->Seek(slice_of(row_key));
    high_ = history_->Valid() ? view_of(history_->key()) : std::string_view();
    BOS_CHECK(sound());
    low_.clear();
    history_->Valid() ? history_->Prev() : history_->SeekToLast();
    BOS_CHECK(sound());
    if (history_->Valid()) low_ = view_of(history_->key());
    known_ = true;
    return {};
}

/// That which looks for versions of one row skips files whose filters do not know the row: what
/// comes next in it need not be what comes next.
std::unique_ptr<rocksdb::Iterator> HistoryGap::in_order() const {
    rocksdb::ReadOptions options = rows_at(snapshot_);
    options.total_order_seek = true;
    return std::unique_ptr<rocksdb::Iterator>(
        database_.db().NewIterator(options, database_.history()));
}

/// An iterator that fails looks like one that has come to its end.
Result<void> HistoryGap::sound() const {
    if (history_->status().ok()) return {};
    return std::unexpected(error_of(history_->status(), "look back"));
}

}  // namespace bos::projections
