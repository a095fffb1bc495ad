#pragma once

#include <cstdint>

namespace bos::projections {

/// Whether a row can be read as it was. Rows that are only asked for as they are now cost a write
/// where others cost two or three: what a view needs for its own work, and what is kept for each
/// viewer, since who may look is a matter of today. To a reader of the past they are not there. A
/// key has the same past always.
enum class Past : std::uint8_t { kept, none };

}  // namespace bos::projections
