#pragma once

#include "eventstore/key_store.h"
#include "eventstore/memory_key_store.h"
#include "eventstore/memory_log.h"
#include "schemas/base/arbitrary.h"
#include "schemas/base/random.h"
#include "schemas/base/time.h"

#include <memory>

namespace bos::commands::test {

/// Stands still until the test moves it.
class SetClock final : public Clock {
  public:
    [[nodiscard]] Timestamp now() override { return now_; }
    void set(Timestamp now) { now_ = now; }
    void advance(Timestamp::duration by) { now_ += by; }

  private:
    Timestamp now_ = from_micros(1'800'000'000'000'000);
};

/// The same bytes in each run, and again after reseed().
class SetRandom final : public Random {
  public:
    explicit SetRandom(std::uint64_t seed) : draws_(seed) {}
    void fill(std::span<std::uint8_t> out) override {
        for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(draws_.next());
    }
    void reseed(std::uint64_t seed) { draws_ = Draws(seed); }

  private:
    Draws draws_;
};

/// What outlives a process, and what stands around it.
struct Machine {
    explicit Machine(eventstore::Owners owners = eventstore::Owners::one)
        : disk(eventstore::new_memory_disk(owners)) {}

    std::shared_ptr<eventstore::MemoryDisk> disk;
    SetClock clock;
    SetRandom random{1};
    eventstore::MemoryKeyStore keys{random};
    eventstore::FieldSealer sealer{keys, random};
};

}  // namespace bos::commands::test
