#include "gateway/gate.h"

#include "gateway/problem.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <thread>
#include <utility>

namespace bos::gateway {

namespace asio = boost::asio;

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto look_again_after = std::chrono::milliseconds(2);

/// Counts a request from before it looks whether the gate is open until it has its answer, so that
/// whoever closed the gate knows of it.
class Inside {
  public:
    explicit Inside(std::atomic<std::size_t>& count) : count_(count) { ++count_; }
    ~Inside() { --count_; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

  private:
    std::atomic<std::size_t>& count_;
};

Response closed() {
    Problem problem = Problem::of(problems::unavailable, "The log is being moved.");
    problem.retry_after = std::chrono::seconds(1);
    return to_response(problem);
}

}  // namespace

bool Gate::close(std::chrono::milliseconds most) {
    Serving* const before = serving_.exchange(nullptr);
    const auto until = Clock::now() + most;
    while (inside_ > 0) {
        if (Clock::now() > until) {
            serving_ = before;
            return false;
        }
        std::this_thread::sleep_for(look_again_after);
    }
    return true;
}

asio::awaitable<Response> Gate::handle(Request request) {
    const auto until = Clock::now() + patience_;
    while (true) {
        {
            const Inside inside(inside_);
            if (Serving* const serving = serving_)
                co_return co_await serving->handle(std::move(request));
        }
        if (Clock::now() > until) co_return closed();
        asio::steady_timer timer(co_await asio::this_coro::executor, look_again_after);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

}  // namespace bos::gateway
