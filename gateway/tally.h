#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace bos::gateway {

/// A count that many threads add to and few read: each thread adds to a part that it shares with
/// few others, so that they do not wait for each other's caches. Thread-safe.
class Tally {
  public:
    void add(std::uint64_t count) {
        parts_[part_of_this_thread()].count.fetch_add(count, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t total() const {
        std::uint64_t total = 0;
        for (const Part& part : parts_) total += part.count.load(std::memory_order_relaxed);
        return total;
    }

  private:
    static constexpr std::size_t part_count = 8;
    static constexpr std::size_t cache_line_bytes = 64;

    struct alignas(cache_line_bytes) Part {
        std::atomic<std::uint64_t> count = 0;
    };

    static std::size_t part_of_this_thread() {
        static std::atomic<std::size_t> threads = 0;
        thread_local const std::size_t part = threads++ % part_count;
        return part;
    }

    std::array<Part, part_count> parts_;
};

}  // namespace bos::gateway
