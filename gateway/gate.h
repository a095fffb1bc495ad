#pragma once

#include "gateway/serving.h"

#include <atomic>
#include <chrono>
#include <cstddef>

namespace bos::gateway {

/// Stands between the server and what answers, so that this can be replaced under it: while the
/// gate is closed, requests wait.
///
/// Thread-safe.
class Gate {
  public:
    /// `patience`: for how long a request waits; then it is refused as unavailable.
    explicit Gate(std::chrono::milliseconds patience) : patience_(patience) {}

    /// Requests go to `serving`, those that wait first.
    void open(Serving& serving) { serving_ = &serving; }
    /// Requests that come wait from now on. Returns true when those inside have their answers,
    /// false when that took longer than `most`: then the gate is open again.
    [[nodiscard]] bool close(std::chrono::milliseconds most);

    /// Runs on: the connection's thread.
    [[nodiscard]] boost::asio::awaitable<Response> handle(Request request);

  private:
    const std::chrono::milliseconds patience_;
    std::atomic<Serving*> serving_ = nullptr;
    std::atomic<std::size_t> inside_ = 0;
};

}  // namespace bos::gateway
