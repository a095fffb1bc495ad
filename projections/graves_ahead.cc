#include "projections/graves_ahead.h"

#include <algorithm>

namespace bos::projections {

Result<void> GravesAhead::take_next() {
    taken_.clear();
    for (; walk_.valid() && taken_.size() < piece_; walk_.next()) {
        taken_.push_back({std::string(walk_.key()), std::string(walk_.value())});
    }
    if (!walk_.status().ok()) return std::unexpected(error_of(walk_.status(), "scan deletions"));
    piece_ = std::min(2 * piece_, piece_max);
    return {};
}

}  // namespace bos::projections
