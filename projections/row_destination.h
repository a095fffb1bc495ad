#pragma once

#include "schemas/base/result.h"

#include <string_view>

namespace rocksdb {
class ColumnFamilyHandle;
}

namespace bos::projections {

/// Where a session's rows go when it is finished. Of each range of keys that a session writes
/// (a generation) the keys of a family come in their order.
class RowDestination {
  public:
    virtual ~RowDestination() = default;
    RowDestination() = default;
    RowDestination(const RowDestination&) = delete;
    RowDestination& operator=(const RowDestination&) = delete;

    /// Errors of the disk come at the end at the latest.
    [[nodiscard]] virtual Result<void> put(rocksdb::ColumnFamilyHandle* family,
                                           std::string_view key, std::string_view value) = 0;
    [[nodiscard]] virtual Result<void> erase(rocksdb::ColumnFamilyHandle* family,
                                             std::string_view key) = 0;
    /// Between two ranges.
    [[nodiscard]] virtual Result<void> end_range() = 0;
    /// All rows become part of the database at once, or none. Errors: full, unavailable.
    [[nodiscard]] virtual Result<void> commit() = 0;
};

}  // namespace bos::projections
