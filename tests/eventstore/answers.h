#pragma once

#include "eventstore/event_log.h"

#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <vector>

namespace bos::eventstore::test {

/// Appends and waits for the answer.
inline Result<Head> append(EventLog& log, std::string record) {
    std::promise<Result<Head>> promise;
    std::future<Result<Head>> future = promise.get_future();
    log.append(std::move(record), [promise = std::move(promise)](Result<Head> outcome) mutable {
        promise.set_value(std::move(outcome));
    });
    return future.get();
}

/// Asks whether the log ends there, and waits for the answer.
inline Result<Head> confirm(EventLog& log, const TenantId& tenant, const Head& end) {
    std::promise<Result<Head>> promise;
    std::future<Result<Head>> future = promise.get_future();
    log.confirm(tenant, end, [promise = std::move(promise)](Result<Head> outcome) mutable {
        promise.set_value(std::move(outcome));
    });
    return future.get();
}

/// Collects the answers of pipelined appends in the order in which they come.
///
/// Thread-safe.
class Answers {
  public:
    AppendDone done() {
        return [this](Result<Head> outcome) {
            const std::lock_guard lock(mutex_);
            outcomes_.push_back(std::move(outcome));
            changed_.notify_all();
        };
    }

    std::vector<Result<Head>> wait_for(std::size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return outcomes_.size() >= count; });
        return outcomes_;
    }

    std::size_t count() const {
        const std::lock_guard lock(mutex_);
        return outcomes_.size();
    }

  private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Result<Head>> outcomes_;
};

/// The code of a failed result; Code has no value for success, so that is an empty optional.
template <class T>
std::optional<Code> code(const Result<T>& result) {
    return result ? std::nullopt : std::optional(result.error().code);
}

}  // namespace bos::eventstore::test
