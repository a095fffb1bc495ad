#include "eventstore/memory_log.h"

#include "eventstore/record_index.h"
#include "schemas/base/digest.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace bos::eventstore {

/// Thread-safe.
class MemoryDisk {
  public:
    explicit MemoryDisk(Owners owners) : owners_(owners) {}

    [[nodiscard]] bool is_shared() const { return owners_ == Owners::several; }

    /// Adds the record if it continues its tenant's chain.
    [[nodiscard]] Result<Head> add(std::string record) {
        Result<RecordIndex> index = index_of(record);
        if (!index) return fail(Code::invalid, index.error().detail);
        const std::lock_guard lock(mutex_);
        TenantLog& log = tenants_[index->link.tenant];
        if (!index->continues(log.head)) {
            return fail(Code::conflict,
                        fmt::format("{}: record {} does not continue the log, which ends at {}",
                                    index->link.tenant.value(), index->link.position.value,
                                    log.head.position.value));
        }
        log.add(std::move(record), *index);
        return log.head;
    }

    [[nodiscard]] Result<Head> confirm(const TenantId& tenant, const Head& end) const {
        if (head(tenant) == end) return end;
        return fail(Code::conflict, fmt::format("{}: the log does not end at {}", tenant.value(),
                                                end.position.value));
    }

    [[nodiscard]] Head head(const TenantId& tenant) const {
        const std::lock_guard lock(mutex_);
        const TenantLog* log = find(tenant);
        return log ? log->head : Head{};
    }

    [[nodiscard]] std::shared_ptr<const std::string> read(const TenantId& tenant,
                                                          Position position) const {
        const std::lock_guard lock(mutex_);
        const TenantLog* log = find(tenant);
        if (!log || position.value == 0 || position > log->head.position) return nullptr;
        return log->records[position.value - 1];
    }

    [[nodiscard]] std::vector<EventAddress> stream(const TenantId& tenant, const StreamId& stream,
                                                   Version from, std::size_t limit) const {
        const std::lock_guard lock(mutex_);
        std::vector<EventAddress> addresses;
        const TenantLog* log = find(tenant);
        if (!log) return addresses;
        for (auto entry = log->events.lower_bound({stream, from});
             entry != log->events.end() && entry->first.first == stream && addresses.size() < limit;
             ++entry) {
            addresses.push_back(entry->second);
        }
        return addresses;
    }

    [[nodiscard]] std::optional<Position> find_key(const TenantId& tenant,
                                                   const Hash& digest) const {
        const std::lock_guard lock(mutex_);
        const TenantLog* log = find(tenant);
        if (!log) return std::nullopt;
        const auto entry = log->keys.find(digest);
        return entry == log->keys.end() ? std::nullopt : std::optional(entry->second);
    }

    [[nodiscard]] std::vector<TenantId> tenants() const {
        const std::lock_guard lock(mutex_);
        std::vector<TenantId> ids;
        for (const auto& [tenant, log] : tenants_) {
            if (log.head.position.value > 0) ids.push_back(tenant);
        }
        return ids;
    }

  private:
    struct TenantLog {
        Head head;
        std::vector<std::shared_ptr<const std::string>> records;
        std::map<std::pair<StreamId, Version>, EventAddress> events;
        std::map<Hash, Position> keys;

        void add(std::string record, const RecordIndex& index) {
            const Position position = index.link.position;
            for (std::uint32_t i = 0; i < index.events.size(); ++i) {
                const RecordIndex::EventEntry& event = index.events[i];
                events[{event.stream, event.version}] = {event.version, position, i};
            }
            keys[index.key_digest] = position;
            records.push_back(std::make_shared<const std::string>(std::move(record)));
            head = index.head();
        }
    };

    [[nodiscard]] const TenantLog* find(const TenantId& tenant) const {
        const auto entry = tenants_.find(tenant);
        return entry == tenants_.end() ? nullptr : &entry->second;
    }

    const Owners owners_;
    mutable std::mutex mutex_;
    std::map<TenantId, TenantLog> tenants_;
};

std::shared_ptr<MemoryDisk> new_memory_disk(Owners owners) {
    return std::make_shared<MemoryDisk>(owners);
}

/// Appends that wait, and answers that wait for those before them. Outlives the log while a posted
/// step still refers to it.
///
/// Thread-safe.
class MemoryLog::Queue {
  public:
    explicit Queue(std::shared_ptr<MemoryDisk> disk) : disk_(std::move(disk)) {}

    using Work = std::move_only_function<Result<Head>(MemoryDisk&)>;

    /// False when stopped: `done` is then answered already.
    bool push(Work work, AppendDone done) {
        {
            const std::lock_guard lock(mutex_);
            if (!stopped_) {
                waiting_.push_back({std::move(work), std::move(done)});
                return true;
            }
            answers_.push_back({std::move(done), stopped_error()});
        }
        deliver();
        return false;
    }

    /// Does the oldest waiting work and answers it.
    void step() {
        {
            const std::lock_guard lock(mutex_);
            if (waiting_.empty()) return;
            Waiting next = std::move(waiting_.front());
            waiting_.pop_front();
            answers_.push_back({std::move(next.done), next.work(*disk_)});
        }
        deliver();
    }

    void stop() {
        {
            const std::lock_guard lock(mutex_);
            stopped_ = true;
            for (Waiting& waiting : waiting_) {
                answers_.push_back({std::move(waiting.done), stopped_error()});
            }
            waiting_.clear();
        }
        deliver();
        wait_for_other_deliverer();
    }

  private:
    struct Waiting {
        Work work;
        AppendDone done;
    };
    struct Answer {
        AppendDone done;
        Result<Head> outcome;
    };

    static std::unexpected<Error> stopped_error() {
        return fail(Code::unavailable, "the log is stopped");
    }

    // One thread delivers at a time and none holds the lock while it calls: that keeps the order,
    // and lets a done append again.
    void deliver() {
        std::unique_lock lock(mutex_);
        if (deliverer_ != std::thread::id()) return;
        deliverer_ = std::this_thread::get_id();
        while (!answers_.empty()) {
            Answer answer = std::move(answers_.front());
            answers_.pop_front();
            lock.unlock();
            answer.done(std::move(answer.outcome));
            lock.lock();
        }
        deliverer_ = {};
        delivered_.notify_all();
    }

    void wait_for_other_deliverer() {
        std::unique_lock lock(mutex_);
        if (deliverer_ == std::this_thread::get_id()) return;  // a done that dropped the log
        delivered_.wait(lock, [this] { return deliverer_ == std::thread::id(); });
    }

    const std::shared_ptr<MemoryDisk> disk_;
    std::mutex mutex_;
    std::deque<Waiting> waiting_;
    std::deque<Answer> answers_;
    std::condition_variable delivered_;
    std::thread::id deliverer_;  ///< none = nobody delivers
    bool stopped_ = false;
};

MemoryLog::MemoryLog(Post post, std::shared_ptr<MemoryDisk> disk)
    : post_(std::move(post)), disk_(std::move(disk)), queue_(std::make_shared<Queue>(disk_)) {}

MemoryLog::~MemoryLog() { queue_->stop(); }

void MemoryLog::append(std::string record, AppendDone done) {
    auto add = [moved = std::move(record)](MemoryDisk& disk) mutable {
        return disk.add(std::move(moved));
    };
    if (queue_->push(std::move(add), std::move(done))) step();
}

bool MemoryLog::is_shared() const { return disk_->is_shared(); }

void MemoryLog::confirm(const TenantId& tenant, const Head& end, AppendDone done) {
    auto look = [tenant, end](MemoryDisk& disk) { return disk.confirm(tenant, end); };
    if (queue_->push(std::move(look), std::move(done))) step();
}

void MemoryLog::step() {
    if (!post_) return queue_->step();
    post_([queue = queue_] { queue->step(); });
}

Result<Head> MemoryLog::head(const TenantId& tenant) const { return disk_->head(tenant); }

Result<std::string> MemoryLog::read(const TenantId& tenant, Position position) const {
    const auto record = disk_->read(tenant, position);
    if (!record) {
        return fail(Code::not_found,
                    fmt::format("{}: no record at {}", tenant.value(), position.value));
    }
    return *record;
}

Result<void> MemoryLog::scan(const TenantId& tenant, Position from, Position to,
                             const Visit& visit) const {
    const Position last = std::min(to, disk_->head(tenant).position);
    for (Position at = std::max(from, Position{1}); at <= last; at = at.next()) {
        if (!visit(at, *disk_->read(tenant, at))) break;
    }
    return {};
}

Result<std::vector<EventAddress>> MemoryLog::stream(const TenantId& tenant, const StreamId& stream,
                                                    Version from, std::size_t limit) const {
    return disk_->stream(tenant, stream, from, limit);
}

Result<std::optional<Position>> MemoryLog::find_key(const TenantId& tenant,
                                                    std::string_view key) const {
    return disk_->find_key(tenant, sha256(key));
}

Result<std::vector<TenantId>> MemoryLog::tenants() const { return disk_->tenants(); }

void MemoryLog::stop() { queue_->stop(); }

}  // namespace bos::eventstore
