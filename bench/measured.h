#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace bos::bench {

using SteadyClock = std::chrono::steady_clock;

/// What one side did in one round.
struct Measured {
    std::uint64_t count = 0;  ///< of the figure's unit
    double seconds = 0;
    std::vector<std::uint64_t> latencies_ns = {};  ///< one for each operation, in any order
};

/// Rate and percentiles of one side: of one round, or medians over rounds.
struct Summary {
    double rate_per_second = 0;
    double p50_us = 0;
    double p99_us = 0;
    double p999_us = 0;
};

[[nodiscard]] Summary summary_of(Measured measured);
[[nodiscard]] Summary median_of(const std::vector<Summary>& rounds);
[[nodiscard]] double median_of(std::vector<double> values);

[[nodiscard]] std::uint64_t nanoseconds_since(SteadyClock::time_point start,
                                              SteadyClock::time_point end = SteadyClock::now());

}  // namespace bos::bench
