#pragma once

#include "schemas/base/random.h"

#include <cstdint>
#include <mutex>
#include <random>

namespace bos::eventstore::test {

/// The same bytes in each run. Thread-safe.
class SeededRandom final : public Random {
  public:
    explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}

    void fill(std::span<std::uint8_t> out) override {
        const std::lock_guard lock(mutex_);
        for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(engine_() & 0xFF);
    }

  private:
    std::mutex mutex_;
    std::mt19937_64 engine_;
};

}  // namespace bos::eventstore::test
