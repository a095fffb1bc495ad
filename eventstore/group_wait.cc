#include "eventstore/group_wait.h"

#include <algorithm>

namespace bos::eventstore {

namespace {

// A sync that was slow for once is no reason to wait as long.
constexpr std::chrono::nanoseconds wait_max = std::chrono::milliseconds(1);
// After a wait in vain.
constexpr std::size_t groups_without_wait = 16;

}  // namespace

void GroupWait::written(std::size_t answered, std::size_t queued, std::chrono::nanoseconds took) {
    answered_ = answered;
    queued_ = queued;
    took_ = took;
}

std::optional<GroupWait::Wait> GroupWait::next(std::size_t queued) {
    const std::size_t under_way = queued_ + answered_;
    if (queued >= under_way) return std::nullopt;
    if (without_wait_ > 0) {
        --without_wait_;
        return std::nullopt;
    }
    return Wait{.appends = under_way, .at_most = std::min(took_ / 2, wait_max)};
}

void GroupWait::waited(std::size_t queued) {
    const bool half_came_back = 2 * queued >= 2 * queued_ + answered_;
    if (!half_came_back) without_wait_ = groups_without_wait;
}

}  // namespace bos::eventstore
