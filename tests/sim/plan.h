#pragma once

#include "tests/sim/scheduler.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace bos::sim {

enum class Engine : std::uint8_t { memory, embedded };

/// What one seed asks for. Rates are per thousand turns of trouble.
struct Plan {
    std::uint64_t seed = 0;
    Engine engine = Engine::memory;
    std::size_t owners = 1;  ///< processes that both believe to own the tenants; memory only
    std::size_t tenants = 1;
    std::size_t clients = 1;
    std::size_t requests = 0;  ///< of all clients, without those sent again
    Duration append_latency_max{};
    Duration think_max{};
    Duration patience{};                 ///< then a client sends its request again
    Duration trouble_every{};            ///< on average; 0 = none
    std::uint64_t crash_rate = 0;        ///< a process ends between two steps
    std::uint64_t crash_at_op_rate = 0;  ///< it ends at some later change of the disk
    std::uint64_t append_rate = 0;       ///< an append fails, or its answer is lost
    std::uint64_t sync_rate = 0;         ///< a sync fails: the process ends itself
    std::uint64_t full_rate = 0;         ///< the log's disk is full for a while
    std::uint64_t clock_rate = 0;
    std::uint64_t erasure_rate = 0;
    std::size_t memtable_bytes = 0;
    std::size_t view_buffer_bytes = 0;
    std::size_t bulk_entries = 0;

    [[nodiscard]] static Plan of(std::uint64_t seed);
    [[nodiscard]] std::string text() const;
};

}  // namespace bos::sim
