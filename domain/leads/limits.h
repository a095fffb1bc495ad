#pragma once

#include <chrono>
#include <cstddef>

namespace bos::leads::limits {

/// Lists inside an aggregate travel with every load of it; the schema bounds the same lists in
/// commands.
inline constexpr std::size_t tags = 50;
inline constexpr std::size_t collaborators = 20;
inline constexpr std::size_t stages_in_use = 40;
inline constexpr std::size_t reasons = 200;

/// How far a client's clock may be ahead when it says when an activity happened.
inline constexpr std::chrono::minutes clock_skew{5};

}  // namespace bos::leads::limits
