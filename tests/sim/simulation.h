#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace bos::sim {

/// How a run went. Two runs of a seed give the same report.
struct Report {
    std::uint64_t seed = 0;
    std::string plan;
    std::map<std::string, std::uint64_t> faults;  ///< how often, by kind
    std::uint64_t steps = 0;
    std::uint64_t starts = 0;  ///< of processes
    std::uint64_t commits = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t virtual_micros = 0;
    std::string digest;  ///< of everything that happened, and of log and views at the end
    std::optional<std::string> violation;  ///< the first promise that was broken

    friend bool operator==(const Report&, const Report&) = default;
};

/// Runs the simulation that a seed stands for. With `print`, every step goes to standard output.
[[nodiscard]] Report simulate(std::uint64_t seed, bool print = false);

}  // namespace bos::sim
