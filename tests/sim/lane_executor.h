#pragma once

#include "tests/sim/scheduler.h"

#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>

#include <memory>
#include <utility>

namespace bos::sim {

/// Asio's executor over one lane of the scheduler: what is posted runs one after the other, in its
/// order, between steps of others.
class LaneExecutor {
  public:
    LaneExecutor(Scheduler& scheduler, Scheduler::Lane lane,
                 boost::asio::execution_context& context)
        : scheduler_(&scheduler), lane_(lane), context_(&context) {}

    [[nodiscard]] boost::asio::execution_context& query(
        boost::asio::execution::context_t) const noexcept {
        return *context_;
    }
    static constexpr boost::asio::execution::blocking_t query(
        boost::asio::execution::blocking_t) noexcept {
        return boost::asio::execution::blocking.never;
    }

    template <class Function>
    void execute(Function function) const {
        scheduler_->post(lane_, std::move(function));
    }

    friend bool operator==(const LaneExecutor& a, const LaneExecutor& b) noexcept {
        return a.scheduler_ == b.scheduler_ && a.lane_.owner == b.lane_.owner &&
               a.lane_.number == b.lane_.number;
    }
    friend bool operator!=(const LaneExecutor& a, const LaneExecutor& b) noexcept {
        return !(a == b);
    }

  private:
    Scheduler* scheduler_;
    Scheduler::Lane lane_;
    boost::asio::execution_context* context_;
};

}  // namespace bos::sim
