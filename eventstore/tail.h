#pragma once

#include "eventstore/event_log.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace bos::eventstore {

/// What IndexTail and RecordTail have in common: the newest part of a log that the tables do not
/// have yet. One part of it grows, and before it stand those that are full and wait to be written.
/// It is bounded: a writer waits for room, and adds one write to it.
///
/// Thread-safe.
template <class Part>
class Tail {
  public:
    // For the one thread that adds.

    /// Blocks while the tail is full and parts leave it. Errors: full, when they cannot.
    [[nodiscard]] Result<void> wait_for_room() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return full_.size() < full_max || stuck_ || stopping_; });
        if (full_.size() < full_max) return {};
        return std::unexpected(why_not());
    }
    [[nodiscard]] bool has_room() const {
        const std::lock_guard lock(mutex_);
        return full_.size() < full_max;
    }
    [[nodiscard]] bool is_stuck() const {
        const std::lock_guard lock(mutex_);
        return stuck_.has_value();
    }

    // For the one thread that moves parts to the tables.

    /// The oldest full part: the next one to be written. Blocks until there is one; null after
    /// stop().
    [[nodiscard]] std::shared_ptr<const Part> wait_for_full() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopping_ || !full_.empty(); });
        return stopping_ ? nullptr : full_.front();
    }
    /// As wait_for_full(), null when there is none now.
    [[nodiscard]] std::shared_ptr<const Part> oldest_full() const {
        const std::lock_guard lock(mutex_);
        return full_.empty() ? nullptr : full_.front();
    }
    /// The tables have the oldest full part.
    void drop_oldest() {
        std::shared_ptr<const Part> dropped;  // freed without the lock
        const std::lock_guard lock(mutex_);
        dropped = std::move(full_.front());
        full_.pop_front();
        stuck_.reset();
        changed_.notify_all();
    }
    /// The oldest full part could not be written, since the disk is full: `why`, until it could.
    void stuck(Error why) {
        const std::lock_guard lock(mutex_);
        stuck_ = std::move(why);
        changed_.notify_all();
    }
    /// Blocks until `time` is over, the tail was restarted or stopped.
    void pause(std::chrono::milliseconds time) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, time,
                          [this, before = restarts_] { return stopping_ || restarts_ != before; });
    }
    void stop() {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
    }

  protected:
    explicit Tail(std::shared_ptr<Part> first) : growing_(std::move(first)) {}
    ~Tail() = default;

    // With mutex_ held.

    void restart_with(std::shared_ptr<Part> first) {
        growing_ = std::move(first);
        stuck_.reset();
        ++restarts_;
        changed_.notify_all();
    }
    void seal(std::shared_ptr<Part> next) {
        full_.push_back(std::exchange(growing_, std::move(next)));
        changed_.notify_all();
    }
    [[nodiscard]] Error why_not() const {
        return stuck_.value_or(Error{Code::full, "the log is stopping"});
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    // Guarded by mutex_. Full parts do not change any more.
    std::deque<std::shared_ptr<const Part>> full_;  ///< oldest first
    std::shared_ptr<Part> growing_;
    std::optional<Error> stuck_;
    bool stopping_ = false;

  private:
    // With the one that grows: four parts in memory at most.
    static constexpr std::size_t full_max = 3;

    std::uint64_t restarts_ = 0;  ///< guarded by mutex_
};

}  // namespace bos::eventstore
