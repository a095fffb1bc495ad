#pragma once

#include "schemas/base/time.h"
#include "schemas/base/uuid.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace bos {

/// Where randomness comes from: the operating system, or a seed in a simulation.
class Random {
  public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::uint8_t> out) = 0;
};

/// The operating system's generator through OpenSSL, some bytes ahead for each thread. Thread-safe;
/// not for a process that forks. Ends the process if there is none: keys and ids without randomness
/// are worse than no service.
class SystemRandom final : public Random {
  public:
    void fill(std::span<std::uint8_t> out) override;
};

/// UUIDv7 (RFC 9562 5.7): 48 bits of milliseconds, then random bits.
[[nodiscard]] Uuid new_uuid(Timestamp now, Random& random);

}  // namespace bos
