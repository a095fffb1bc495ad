#pragma once

#include "schemas/base/arbitrary.h"
#include "schemas/base/time.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace bos::sim {

using Duration = std::chrono::microseconds;

/// All that happens in a simulation, in one thread: steps that wait for their turn, in virtual
/// time. Which of those that are due comes next is drawn, except that steps of one lane keep their
/// order and that none waits for ever while others run.
class Scheduler {
  public:
    using Step = std::move_only_function<void()>;

    /// What goes away together: a process, or the world around them.
    using Owner = std::uint32_t;
    /// Steps with one lane of one owner run in the order in which they were posted.
    struct Lane {
        Owner owner = 0;
        std::uint32_t number = 0;  ///< 0 = each step by itself
        std::string_view name;
    };

    explicit Scheduler(Draws& draws) : draws_(draws) {}

    void post(Lane lane, Step step, Duration delay = {});
    /// Runs one step; moves time to the next one that is due when none is now. False: there is
    /// none.
    bool run_one();
    /// The steps of an owner never run.
    void drop(Owner owner);
    [[nodiscard]] bool waits(Owner owner, std::uint32_t lane) const;

    /// Since the simulation began.
    [[nodiscard]] Duration now() const { return now_; }
    void advance(Duration time) { now_ += time; }
    [[nodiscard]] std::uint64_t steps() const { return steps_; }
    /// Of the step that ran last.
    [[nodiscard]] const Lane& last() const { return last_; }

  private:
    struct Waiting {
        Lane lane;
        Duration due;
        std::uint64_t sequence;
        std::uint64_t passed_over = 0;  ///< turns in which it could have run
        Step step;
    };

    [[nodiscard]] std::vector<std::size_t> due() const;
    std::size_t choose(const std::vector<std::size_t>& candidates);

    Draws& draws_;
    std::vector<Waiting> waiting_;  ///< in the order of their sequence
    Duration now_{};
    std::uint64_t sequence_ = 0;
    std::uint64_t steps_ = 0;
    Lane last_;
};

/// The wall clock of the simulated machine; it jumps when someone sets it.
class VirtualClock final : public Clock {
  public:
    explicit VirtualClock(const Scheduler& scheduler) : scheduler_(scheduler) {}
    [[nodiscard]] Timestamp now() override { return start_ + scheduler_.now() + jumped_; }
    void jump(Duration by) { jumped_ += by; }

  private:
    const Scheduler& scheduler_;
    const Timestamp start_ = from_micros(1'800'000'000'000'000);
    Duration jumped_{};
};

}  // namespace bos::sim
