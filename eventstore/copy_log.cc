#include "eventstore/copy_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

namespace bos::eventstore {

namespace {

/// Appends that wait for their answer: enough to fill a synced group or a produce request, and far
/// below the bounds of the engines' queues.
constexpr std::size_t under_way_max = 1024;

/// Counts the appends without answer, and keeps the first failure.
class UnderWay {
  public:
    /// Waits for room. False when an append has failed: there is no point in more.
    bool begin() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return count_ < under_way_max; });
        if (failure_) return false;
        ++count_;
        return true;
    }
    void end(const Result<Head>& outcome) {
        const std::lock_guard lock(mutex_);
        --count_;
        if (!outcome && !failure_) failure_ = outcome.error();
        changed_.notify_one();
    }
    Result<void> wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return count_ == 0; });
        if (failure_) return std::unexpected(*failure_);
        return {};
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t count_ = 0;         // guarded by mutex_
    std::optional<Error> failure_;  // guarded by mutex_
};

/// What `to` has of the tenant is the beginning of what `from` has.
Result<void> check_beginning(const EventLog& from, const Head& there, const TenantId& tenant) {
    if (there.position.value == 0) return {};
    const auto record = from.read(tenant, there.position);
    if (!record && record.error().code != Code::not_found) return std::unexpected(record.error());
    if (record && hash_of(*record) == there.hash) return {};
    return fail(
        Code::conflict,
        fmt::format("{}: the other log has {} records that are not the beginning of this one",
                    tenant.value(), there.position.value));
}

}  // namespace

Result<Head> copy_tenant(const EventLog& from, EventLog& to, const TenantId& tenant,
                         const std::function<void(Position)>& progress) {
    BOS_TRY(const Head there, to.head(tenant));
    BOS_CHECK(check_beginning(from, there, tenant));
    BOS_TRY(const Head end, from.head(tenant));
    UnderWay under_way;
    const auto append = [&](Position position, std::string_view record) {
        if (!under_way.begin()) return false;
        to.append(std::string(record),
                  [&under_way](const Result<Head>& outcome) { under_way.end(outcome); });
        if (progress) progress(position);
        return true;
    };
    const Result<void> scanned = from.scan(tenant, there.position.next(), end.position, append);
    BOS_CHECK(under_way.wait());
    BOS_CHECK(scanned);
    BOS_TRY(const Head copied, to.head(tenant));
    if (copied != end) {
        return fail(Code::corrupt,
                    fmt::format("{}: the copy ends at {} with another hash than {}", tenant.value(),
                                copied.position.value, end.position.value));
    }
    return copied;
}

}  // namespace bos::eventstore
