#pragma once

#include "projections/view_database.h"
#include "schemas/base/result.h"

#include <memory>
#include <string>
#include <string_view>

namespace bos::projections {

/// Keys between which the history has nothing. A scan of the past may meet very many rows that came
/// later and were never replaced, as index entries of a list by time are: one seek tells it of all
/// that lie side by side.
class HistoryGap {
  public:
    HistoryGap(const ViewDatabase& database, const rocksdb::Snapshot* snapshot)
        : database_(database), snapshot_(snapshot) {}

    [[nodiscard]] bool has(std::string_view row_key) const {
        if (!known_ || row_key <= low_) return false;
        return high_.empty() || (row_key < high_ && !std::string_view(high_).starts_with(row_key));
    }

    /// After a look for a version of `row_key` in vain. Fails where the history cannot be read.
    [[nodiscard]] Result<void> note(std::string_view row_key);

  private:
    [[nodiscard]] std::unique_ptr<rocksdb::Iterator> in_order() const;
    [[nodiscard]] Result<void> sound() const;

    const ViewDatabase& database_;
    const rocksdb::Snapshot* snapshot_;
    std::unique_ptr<rocksdb::Iterator> history_;
    bool known_ = false;
    std::string low_;   ///< a key, or empty: the beginning
    std::string high_;  ///< the key after it, or empty: the end
};

}  // namespace bos::projections
