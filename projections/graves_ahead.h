#pragma once

#include "projections/row_walk.h"
#include "schemas/base/position.h"
#include "schemas/base/result.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bos::projections {

/// A row of the graves (row_key.h).
struct Grave {
    std::string key;
    std::string value;
};

/// The graves of a range whose rows were still there at a position, a piece at a time: what a scan
/// of the past looks at before it walks the rows between them. The first piece is small, since most
/// pages are, and each further one twice as large, up to a bound.
class GravesAhead {
  public:
    /// As for RowWalk.
    GravesAhead(const ViewDatabase& database, const rocksdb::Snapshot* snapshot,
                const RowRange& range, Direction direction, Position as_of)
        : walk_(database, database.graves(), snapshot, range, direction), as_of_(as_of) {}

    /// The next piece takes the place of the last one. Fails where a grave cannot be read.
    [[nodiscard]] Result<void> take_next();

    /// In the direction of the scan.
    [[nodiscard]] std::span<const Grave> taken() const { return taken_; }
    /// Nothing comes after this piece.
    [[nodiscard]] bool at_end() const { return !walk_.valid(); }
    /// Of the last one that was looked at; there is one unless at_end().
    [[nodiscard]] const std::string& last_key() const { return last_key_; }

  private:
    static constexpr std::size_t piece_min = 64;
    static constexpr std::size_t piece_max = 1024;
    /// For each one that is taken; those of rows that had gone before cost no memory.
    static constexpr std::size_t looked_at_max = 16;

    RowWalk walk_;
    const Position as_of_;
    std::vector<Grave> taken_;
    std::string last_key_;
    std::size_t piece_ = piece_min;
};

}  // namespace bos::projections
