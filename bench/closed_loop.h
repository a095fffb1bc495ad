#pragma once

#include "bench/measured.h"

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <vector>

namespace bos::bench {

/// Lanes that each have one operation under way and begin the next when it has ended. One thread
/// begins all of them, as a shard's thread does for its tenants: a thread for each lane would
/// measure the scheduler.
class ClosedLoop {
  public:
    /// Begins the lane's next operation, which must lead to one call of finished(); false when the
    /// lane has none left.
    using Begin = std::function<bool(std::size_t lane)>;

    /// Runs on the caller's thread until `seconds` have passed or no lane has anything left, and
    /// then until every operation has ended. Those that ended in time count.
    [[nodiscard]] Measured run(std::size_t lanes, double seconds, const Begin& begin);

    /// From any thread, also inside Begin.
    void finished(std::size_t lane, bool ok);

  private:
    struct Ended {
        std::size_t lane;
        SteadyClock::time_point at;
    };

    void wait_for_some(std::vector<Ended>& ended);

    std::mutex mutex_;
    std::condition_variable changed_;
    // Guarded by mutex_.
    std::vector<Ended> ended_;
    bool failed_ = false;
};

}  // namespace bos::bench
