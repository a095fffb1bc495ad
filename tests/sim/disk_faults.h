#pragma once

#include "tests/sim/machine.h"

#include <cstdint>
#include <memory>
#include <string>

namespace bos::sim {

/// What goes wrong with a disk while one process uses it. The process does not survive some of it:
/// then what the next one will find is taken at that moment, and what the first one still does is
/// done to a disk that nobody will see.
class DiskFaults {
  public:
    DiskFaults(Machine& machine, std::shared_ptr<Disk> disk);
    ~DiskFaults();
    DiskFaults(const DiskFaults&) = delete;
    DiskFaults& operator=(const DiskFaults&) = delete;

    /// The process ends at the n-th change from now on (1 = the next).
    void crash_at(std::uint64_t n) { crash_in_ = n; }
    /// The n-th sync of the log from now on fails.
    void fail_sync(std::uint64_t n) { sync_in_ = n; }
    void set_full(bool full) { full_ = full; }
    void heal();

    enum class End : std::uint8_t { kill, power_loss };
    /// The process has ended now, if it had not before.
    void crash(const std::string& why, End end);
    [[nodiscard]] bool crashed() const { return left_ != nullptr; }
    /// What the next process finds.
    [[nodiscard]] std::shared_ptr<Disk> left() const { return left_; }

  private:
    Disk::Verdict before(Disk::Operation operation, const std::string& path, std::size_t bytes);

    Machine& machine_;
    const std::shared_ptr<Disk> disk_;
    std::shared_ptr<Disk> left_;
    std::uint64_t crash_in_ = 0;  ///< 0 = not
    std::uint64_t sync_in_ = 0;
    bool full_ = false;
};

}  // namespace bos::sim
