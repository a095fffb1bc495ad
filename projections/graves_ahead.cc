#include "projections/graves_ahead.h"

#include "projections/row_key.h"

#include <algorithm>

namespace bos::projections {

Result<void> GravesAhead::take_next() {
    taken_.clear();
    for (std::size_t looked_at = 0;
         walk_.valid() && taken_.size() < piece_ && looked_at < piece_ * looked_at_max;
         walk_.next(), ++looked_at) {
        last_key_.assign(walk_.key());
        const std::string_view value = walk_.value();
        if (value.size() < 2 * position_bytes) return std::unexpected(corrupt_row());
        const Position deleted_at{read_be64(value)};
        if (deleted_at > as_of_) taken_.push_back({last_key_, std::string(value)});
    }
    if (!walk_.status().ok()) return std::unexpected(error_of(walk_.status(), "scan deletions"));
    piece_ = std::min(2 * piece_, piece_max);
    return {};
}

}  // namespace bos::projections
