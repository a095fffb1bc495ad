#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>

namespace bos::bench {

/// Of writers, commands in flight and connections.
inline constexpr std::array<std::size_t, 3> concurrencies{1, 8, 64};

/// What the command line says.
struct Options {
    double seconds = 1.0;  ///< of each side in each round
    int rounds = 3;
    std::string only;             ///< one workload; empty = all
    std::size_t leads = 10'000;   ///< read over HTTP, and rebuilt from
    std::size_t tenants = 1'000;  ///< small ones: beside a busy one, or asleep
    std::size_t events = 50'000;  ///< of the tenant that is opened, or taken over
    bool quick = false;
    std::filesystem::path folder;    ///< where temp folders are made
    std::filesystem::path binary;    ///< bos, to be measured over HTTP
    std::filesystem::path emmett;    ///< the peer's scripts with their packages; empty = no peers
    std::filesystem::path postgres;  ///< the folder of its socket
    int emmett_processes = 1;

    [[nodiscard]] double warm_up_seconds() const { return seconds / 4; }
};

}  // namespace bos::bench
