#pragma once

#include "gateway/http_server.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace bos::gateway {

/// Keeps what a server tells, so that a test can wait for it instead of sleeping.
class ServerEvents final : public ServerObserver {
  public:
    void connection_opened() override { note(opened_); }
    void connection_closed() override { note(closed_); }
    void refused(std::string_view code) override {
        const std::scoped_lock lock(mutex_);
        codes_.emplace_back(code);
        changed_.notify_all();
    }

    /// False when it does not happen within 20 s.
    bool wait_for_closed(int count) {
        return wait([&] { return closed_ >= count; });
    }
    bool wait_for_opened(int count) {
        return wait([&] { return opened_ >= count; });
    }
    std::vector<std::string> refusals() {
        const std::scoped_lock lock(mutex_);
        return codes_;
    }

  private:
    void note(int& counter) {
        const std::scoped_lock lock(mutex_);
        ++counter;
        changed_.notify_all();
    }
    template <class Condition>
    bool wait(Condition condition) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(20), condition);
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    int opened_ = 0;
    int closed_ = 0;
    std::vector<std::string> codes_;
};

}  // namespace bos::gateway
