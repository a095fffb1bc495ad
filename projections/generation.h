#pragma once

#include <cstdint>

namespace bos::projections {

/// One build of a view's rows. `number` is never used again in its tenant.
struct Generation {
    std::uint16_t view = 0;
    std::uint32_t version = 0;  ///< of the view's code
    std::uint32_t number = 0;

    friend bool operator==(const Generation&, const Generation&) = default;
};

}  // namespace bos::projections
