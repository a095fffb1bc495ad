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
inline constexpr std::size_t open_activities = 50;
/// Closed ones that a lead remembers, so that closing one twice is told from naming one that never
/// was.
inline constexpr std::size_t closed_activities = 200;

/// How far a client's clock may be ahead when it says when an activity happened.
inline constexpr std::chrono::minutes clock_skew{5};

}  // namespace bos::leads::limits
