#include "bench/closed_loop.h"

#include <algorithm>
#include <stdexcept>

namespace bos::bench {

void ClosedLoop::finished(std::size_t lane, bool ok) {
    const auto now = SteadyClock::now();
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        first = ended_.empty();
        ended_.push_back({lane, now});
        failed_ = failed_ || !ok;
    }
    if (first) changed_.notify_one();
}

void ClosedLoop::wait_for_some(std::vector<Ended>& ended) {
    ended.clear();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !ended_.empty(); });
    ended.swap(ended_);
    if (failed_) throw std::runtime_error("an operation failed");
}

Measured ClosedLoop::run(std::size_t lanes, double seconds, const Begin& begin) {
    Measured measured;
    std::vector<SteadyClock::time_point> begun(lanes);
    std::size_t under_way = 0;
    const auto next = [&](std::size_t lane) {
        begun[lane] = SteadyClock::now();
        if (begin(lane)) ++under_way;
    };

    const auto start = SteadyClock::now();
    const auto end = start + std::chrono::duration_cast<SteadyClock::duration>(
                                 std::chrono::duration<double>(seconds));
    auto last = start;
    for (std::size_t lane = 0; lane < lanes; ++lane) next(lane);
    std::vector<Ended> ended;
    while (under_way > 0) {
        wait_for_some(ended);
        under_way -= ended.size();
        for (const Ended& operation : ended) {
            if (operation.at > end) continue;
            last = std::max(last, operation.at);
            ++measured.count;
            measured.latencies_ns.push_back(nanoseconds_since(begun[operation.lane], operation.at));
            if (SteadyClock::now() < end) next(operation.lane);
        }
    }
    measured.seconds = std::chrono::duration<double>(last - start).count();
    return measured;
}

}  // namespace bos::bench
