#include "tests/sim/scheduler.h"

#include <algorithm>
#include <utility>

namespace bos::sim {

namespace {
// With some ten candidates in each turn nobody waits that long by chance.
constexpr std::uint64_t passed_over_max = 64;
}  // namespace

void Scheduler::post(Lane lane, Step step, Duration delay) {
    waiting_.push_back({.lane = lane,
                        .due = now_ + delay,
                        .sequence = sequence_++,
                        .passed_over = 0,
                        .step = std::move(step)});
}

std::vector<std::size_t> Scheduler::due() const {
    std::vector<std::size_t> candidates;
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
        const Waiting& each = waiting_[i];
        const bool first =
            each.lane.number == 0 ||
            std::none_of(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(i),
                         [&](const Waiting& before) {
                             return before.lane.owner == each.lane.owner &&
                                    before.lane.number == each.lane.number;
                         });
        if (first && each.due <= now_) candidates.push_back(i);
    }
    return candidates;
}

std::size_t Scheduler::choose(const std::vector<std::size_t>& candidates) {
    std::size_t chosen = candidates[draws_.below(candidates.size())];
    for (const std::size_t i : candidates) {
        if (++waiting_[i].passed_over <= passed_over_max) continue;
        chosen = i;
        break;
    }
    return chosen;
}

bool Scheduler::run_one() {
    if (waiting_.empty()) return false;
    std::vector<std::size_t> candidates = due();
    while (candidates.empty()) {
        // The first of a lane may be due later than one behind it.
        Duration next = Duration::max();
        for (const Waiting& each : waiting_) {
            if (each.due > now_) next = std::min(next, each.due);
        }
        now_ = next;
        candidates = due();
    }
    const std::size_t chosen = choose(candidates);
    Waiting turn = std::move(waiting_[chosen]);
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(chosen));
    ++steps_;
    last_ = turn.lane;
    turn.step();
    return true;
}

void Scheduler::drop(Owner owner) {
    // What a step holds may post again when it goes.
    std::vector<Waiting> dropped;
    for (Waiting& each : waiting_) {
        if (each.lane.owner == owner) dropped.push_back(std::move(each));
    }
    std::erase_if(waiting_, [&](const Waiting& each) { return each.lane.owner == owner; });
}

bool Scheduler::waits(Owner owner, std::uint32_t lane) const {
    return std::ranges::any_of(waiting_, [&](const Waiting& each) {
        return each.lane.owner == owner && each.lane.number == lane;
    });
}

}  // namespace bos::sim
