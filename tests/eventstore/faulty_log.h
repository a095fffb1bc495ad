#pragma once

#include "eventstore/event_log.h"

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace bos::eventstore::test {

/// A log that fails when the test wants it to, in front of any other. Answers keep the order of the
/// appends. After a failed append those chained on it meet conflicts in the log behind by
/// themselves.
///
/// Thread-safe. `behind` outlives it; stop() before it goes.
class FaultyLog final : public EventLog {
  public:
    enum class Fault {
        conflict,         ///< nothing is written
        full,             ///< nothing is written
        unavailable,      ///< nothing is written
        unknown_lost,     ///< answered unknown, nothing is written
        unknown_written,  ///< answered unknown, and written
        unknown_late,     ///< answered unknown at once, and written when its turn comes
    };

    explicit FaultyLog(EventLog& behind) : behind_(behind), answers_(std::make_shared<Answers>()) {}

    /// The n-th append from now on (1 = the next) meets `fault`.
    void fail_append(std::size_t n, Fault fault) {
        const std::lock_guard lock(mutex_);
        faults_[appends_ + n] = fault;
    }
    /// Every confirm() fails so from now on; none: no more.
    void fail_confirms(std::optional<Code> code) {
        const std::lock_guard lock(mutex_);
        confirms_fail_ = code;
    }
    /// Answers of appends wait from now on until release().
    void hold() { answers_->hold(); }
    void release() { answers_->release(); }

    void append(std::string record, AppendDone done) override {
        const auto [fault, slot] = enter(std::move(done));
        if (fault == Fault::unknown_late) {
            behind_.append(std::move(record), [](const Result<Head>&) {});
            return answers_->answer(slot, outcome_of(*fault));
        }
        if (fault && *fault != Fault::unknown_written)
            return answers_->answer(slot, outcome_of(*fault));
        behind_.append(std::move(record), [answers = answers_, slot, fault](Result<Head> outcome) {
            answers->answer(slot, fault ? outcome_of(*fault) : std::move(outcome));
        });
    }

    [[nodiscard]] bool is_shared() const override { return behind_.is_shared(); }
    void confirm(const TenantId& tenant, const Head& end, AppendDone done) override {
        const auto fails = [this] {
            const std::lock_guard lock(mutex_);
            return confirms_fail_;
        }();
        if (fails) return done(fail(*fails, "injected"));
        behind_.confirm(tenant, end, std::move(done));
    }

    [[nodiscard]] Result<Head> head(const TenantId& tenant) const override {
        return behind_.head(tenant);
    }
    [[nodiscard]] Result<std::string> read(const TenantId& tenant,
                                           Position position) const override {
        return behind_.read(tenant, position);
    }
    [[nodiscard]] Result<void> scan(const TenantId& tenant, Position from, Position to,
                                    const Visit& visit) const override {
        return behind_.scan(tenant, from, to, visit);
    }
    [[nodiscard]] Result<std::vector<EventAddress>> stream(const TenantId& tenant,
                                                           const StreamId& stream, Version from,
                                                           std::size_t limit) const override {
        return behind_.stream(tenant, stream, from, limit);
    }
    [[nodiscard]] Result<std::optional<Position>> find_key(const TenantId& tenant,
                                                           std::string_view key) const override {
        return behind_.find_key(tenant, key);
    }
    [[nodiscard]] Result<std::vector<TenantId>> tenants() const override {
        return behind_.tenants();
    }

    void stop() override {
        behind_.stop();
        release();
    }

  private:
    /// Answers in the order of their appends, one at a time. Outlives the log while `behind` has
    /// appends.
    class Answers {
      public:
        std::size_t add(AppendDone done) {
            const std::lock_guard lock(mutex_);
            waiting_.push_back({std::move(done), std::nullopt});
            return delivered_ + waiting_.size() - 1;
        }
        void answer(std::size_t slot, Result<Head> outcome) {
            {
                const std::lock_guard lock(mutex_);
                waiting_[slot - delivered_].outcome = std::move(outcome);
            }
            deliver();
        }
        void hold() {
            const std::lock_guard lock(mutex_);
            held_ = true;
        }
        void release() {
            {
                const std::lock_guard lock(mutex_);
                held_ = false;
            }
            deliver();
        }

      private:
        struct Answer {
            AppendDone done;
            std::optional<Result<Head>> outcome;
        };

        void deliver() {
            std::unique_lock lock(mutex_);
            if (delivering_) return;
            delivering_ = true;
            while (!held_ && !waiting_.empty() && waiting_.front().outcome) {
                Answer next = std::move(waiting_.front());
                waiting_.pop_front();
                ++delivered_;
                lock.unlock();
                next.done(*std::move(next.outcome));
                lock.lock();
            }
            delivering_ = false;
        }

        std::mutex mutex_;
        std::deque<Answer> waiting_;
        std::size_t delivered_ = 0;
        bool held_ = false;
        bool delivering_ = false;
    };

    std::pair<std::optional<Fault>, std::size_t> enter(AppendDone done) {
        const std::lock_guard lock(mutex_);
        const auto fault = faults_.find(++appends_);
        return {fault == faults_.end() ? std::nullopt : std::optional(fault->second),
                answers_->add(std::move(done))};
    }

    static Result<Head> outcome_of(Fault fault) {
        switch (fault) {
            case Fault::conflict:
                return fail(Code::conflict, "injected");
            case Fault::full:
                return fail(Code::full, "injected");
            case Fault::unavailable:
                return fail(Code::unavailable, "injected");
            case Fault::unknown_lost:
            case Fault::unknown_written:
            case Fault::unknown_late:
                return fail(Code::unknown, "injected");
        }
        return fail(Code::unknown, "injected");
    }

    EventLog& behind_;
    const std::shared_ptr<Answers> answers_;
    std::mutex mutex_;
    std::map<std::size_t, Fault> faults_;  ///< by the number of the append; guarded by mutex_
    std::size_t appends_ = 0;              ///< guarded by mutex_
    std::optional<Code> confirms_fail_;    ///< guarded by mutex_
};

}  // namespace bos::eventstore::test
