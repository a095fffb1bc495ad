#pragma once

#include "eventstore/kafka_append.h"
#include "eventstore/kafka_tenant.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace bos::eventstore {

/// Where other threads leave what the engine's thread is to do, and where that thread waits.
///
/// Thread-safe.
class KafkaInbox {
  public:
    struct Bounds {
        std::size_t records_max = 16'384;  ///< appends without answer
        std::size_t bytes_max = 64 * 1024 * 1024;
    };
    struct Follow {
        TenantId tenant;
        bool on;
        KafkaTenant::FollowDone done;
    };
    struct Opened {
        KafkaTenant* tenant;
        Result<void> found;
    };
    struct Ended {
        KafkaTenant* tenant;
        Result<Offset> end;
    };
    /// The keys are durable that those appends name of which it was asked with this number.
    struct Keyed {
        KafkaTenant* tenant;
        std::uint64_t number;
        Result<void> outcome;
    };
    struct Mail {
        std::deque<KafkaAppendPtr> appends = {};
        std::vector<Follow> follows = {};
        std::vector<Opened> opened = {};
        std::vector<Ended> ended = {};
        std::vector<Keyed> keyed = {};
        bool stopping = false;
    };

    explicit KafkaInbox(const Bounds& bounds) : bounds_(bounds) {}

    /// Verifies and hashes on the caller's thread. What is refused takes its turn like the others.
    void append(std::string record, AppendDone done);
    void confirm(const TenantId& tenant, const Head& end, AppendDone done);
    void follow(Follow follow);
    /// Where a topic ended when it was asked.
    void ended(Ended ended);
    void keyed(Keyed keyed);
    void opened(Opened opened);
    /// The producer or the consumer has something.
    void wake();
    void stop();

    /// All that waits; waits for it, or for a wake(), until `until` at most. `expects_news`:
    /// records are under way, and what becomes of them will wake(). Most of what is appended
    /// meanwhile has to wait for that all the same, so no append is worth a turn of its own: more
    /// of them gather, for some hundred microseconds at most.
    [[nodiscard]] Mail take(std::optional<std::chrono::steady_clock::time_point> until,
                            bool expects_news = false);
    /// The engine has answered these; their places are free.
    void answered(const std::vector<KafkaBurst::Answer>& answers);
    /// The engine answers nothing more: from now on appends are refused where they come. What came
    /// since the last take().
    [[nodiscard]] Mail close();

  private:
    enum class Urgent : std::uint8_t { no, yes };
    void post(KafkaAppendPtr append, Urgent urgent, std::unique_lock<std::mutex> lock);
    void notify(std::unique_lock<std::mutex> lock);
    [[nodiscard]] bool admit(std::size_t bytes);

    const Bounds bounds_;

    std::mutex mutex_;
    std::condition_variable changed_;
    // Guarded by mutex_.
    Mail mail_;
    bool woken_ = false;    ///< by more than appends
    bool waiting_ = false;  ///< the engine's thread does
    bool closed_ = false;
    std::size_t records_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace bos::eventstore
