#pragma once

#include "bench/measured.h"

#include <filesystem>

namespace bos::bench {

inline constexpr std::size_t probe_bytes = 300;

/// Appends of 300 bytes, each followed by fdatasync: what one durable write costs on this disk at
/// this moment, with nothing of ours in between.
class DiskProbe {
  public:
    explicit DiskProbe(const std::filesystem::path& folder);
    ~DiskProbe();
    DiskProbe(const DiskProbe&) = delete;
    DiskProbe& operator=(const DiskProbe&) = delete;

    [[nodiscard]] Measured measure(double seconds);

  private:
    int file_;
};

}  // namespace bos::bench
