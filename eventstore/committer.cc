#include "eventstore/committer.h"

#include "eventstore/this_thread.h"
#include "schemas/base/assert.h"

#include <fmt/format.h>

#include <chrono>
#include <iterator>
#include <utility>

namespace bos::eventstore {

namespace {

// A head costs some 150 bytes; past this many tenants they are read again from the index.
constexpr std::size_t cached_heads_max = 65'536;
// WAL, then the table that a flush writes beside it, then index rows.
constexpr std::uint64_t disk_bytes_per_record_byte = 3;

std::uint64_t bytes_of(std::span<const RecordView> records) {
    std::uint64_t bytes = 0;
    for (const RecordView& record : records) bytes += record.bytes.size();
    return bytes;
}

}  // namespace

Committer::Committer(LogTables& tables, MarkWriter& marks, const Mark& end,
                     CommitterOptions options)
    : tables_(tables), marks_(marks), options_(std::move(options)), end_(end) {
    if (!options_.post) {
        thread_ = std::thread([this] {
            this_thread_is("log committer");
            this_thread_waits_exactly();
            run();
        });
    }
}

Committer::~Committer() { stop(); }

void Committer::push(std::string record, AppendDone done) {
    Waiting waiting{.record = std::nullopt, .done = std::move(done), .outcome = Head{}};
    if (Result<RecordIndex> index = index_of(record)) {
        waiting.record = IndexedRecord{.bytes = std::move(record), .index = *std::move(index)};
    } else {
        waiting.outcome = fail(Code::invalid, std::move(index).error().detail);
    }
    {
        const std::lock_guard lock(mutex_);
        admit_or_refuse(waiting);
        if (!ended_) {
            queue_.push_back(std::move(waiting));
            if (queue_.size() == wakes_at_) wake();
            return;
        }
    }
    waiting.done(std::move(waiting.outcome));
}

void Committer::admit_or_refuse(Waiting& waiting) {
    if (!waiting.record) return;
    const std::size_t bytes = waiting.record->bytes.size();
    const bool room = queue_records_ == 0 || (queue_records_ < options_.queue_records_max &&
                                              queue_bytes_ + bytes <= options_.queue_bytes_max);
    if (stopping_ || !room) {
        waiting.record.reset();
        waiting.outcome =
            fail(Code::unavailable, stopping_ ? "the log is stopping" : "the log's queue is full");
        return;
    }
    ++queue_records_;
    queue_bytes_ += bytes;
}

void Committer::stop() {
    BOS_ASSERT(std::this_thread::get_id() != thread_.get_id());
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    const std::lock_guard lock(stop_mutex_);
    if (options_.post) return run();
    if (thread_.joinable()) thread_.join();
}

void Committer::wake() {
    if (options_.post) return options_.post([this] { step(); });
    changed_.notify_one();
}

void Committer::step() {
    Group group;
    if (take_group(group)) commit(group);
}

void Committer::run() {
    for (Group group; take_group(group);) commit(group);
}

void Committer::wait_for_group(std::unique_lock<std::mutex>& lock) {
    const auto come = [this] { return stopping_ || queue_.size() >= wakes_at_; };
    const auto wait = group_wait_.next(queue_.size());
    if (wait && queue_bytes_ < options_.group_bytes_max) {
        wakes_at_ = wait->appends;
        changed_.wait_for(lock, wait->at_most, come);
        wakes_at_ = 1;
        group_wait_.waited(queue_.size());
    }
    changed_.wait(lock, come);
}

bool Committer::take_group(Group& group) {
    group.clear();
    std::unique_lock lock(mutex_);
    if (!options_.post) wait_for_group(lock);
    std::size_t group_bytes = 0;
    auto end = queue_.begin();
    for (; end != queue_.end() && group_bytes < options_.group_bytes_max; ++end) {
        if (!end->record) continue;
        const std::size_t bytes = end->record->bytes.size();
        --queue_records_;
        queue_bytes_ -= bytes;
        group_bytes += bytes;
    }
    if (end == queue_.end()) {
        group.swap(queue_);
    } else {
        group.assign(std::move_iterator(queue_.begin()), std::move_iterator(end));
        queue_.erase(queue_.begin(), end);
        wake();
    }
    ended_ = stopping_ && group.empty();
    return !group.empty();
}

void Committer::commit(Group& group) {
    const auto begun = std::chrono::steady_clock::now();
    const Result<void> writable = become_writable();
    std::vector<RecordView> records;
    for (Waiting& waiting : group) {
        if (!waiting.record) continue;
        waiting.outcome = writable ? chain(waiting.record->index)
                                   : Result<Head>(std::unexpected(writable.error()));
        if (waiting.outcome) records.emplace_back(*waiting.record);
    }
    if (!records.empty()) {
        if (const Result<void> written = write(records); !written) {
            heads_.clear();  // what is chained on this group meets the head before it: conflict
            for (Waiting& waiting : group) {
                if (waiting.outcome) waiting.outcome = std::unexpected(written.error());
            }
        }
    }
    {
        const std::lock_guard lock(mutex_);
        group_wait_.written(group.size(), queue_.size(), std::chrono::steady_clock::now() - begun);
    }
    for (Waiting& waiting : group) waiting.done(std::move(waiting.outcome));
    if (heads_.size() > cached_heads_max) heads_.clear();
}

Result<void> Committer::become_writable() {
    if (lost_) return fail(Code::unavailable, "the log cannot be written any more");
    if (!full_) return {};
    BOS_CHECK(check_space(0));
    if (const Result<void> reopened = tables_.reopen(); !reopened) {
        if (reopened.error().code == Code::full) return reopened;
        return lost(reopened.error().detail);
    }
    const Result<Mark> end = tables_.end();
    if (!end) return lost(end.error().detail);
    // The appends that met the full disk were answered "nothing was written".
    if (*end != end_) {
        return lost(fmt::format("after a full disk it ends at number {} instead of {}",
                                end->sequence, end_.sequence));
    }
    full_ = false;
    return {};
}

Result<Head> Committer::chain(const RecordIndex& index) {
    const TenantId& tenant = index.link.tenant;
    auto head = heads_.find(tenant);
    if (head == heads_.end()) {
        BOS_TRY(const Head stored, tables_.head(tenant));
        head = heads_.emplace(tenant, stored).first;
    }
    if (!index.continues(head->second)) {
        return fail(Code::conflict, fmt::format("{}: record {} does not continue the log, which "
                                                "ends at {}",
                                                tenant.value(), index.link.position.value,
                                                head->second.position.value));
    }
    return head->second = index.head();
}

Result<void> Committer::write(std::span<const RecordView> records) {
    BOS_CHECK(check_space(bytes_of(records)));
    if (const Result<void> ready = options_.before_write(); !ready) {
        return fail(Code::unavailable, ready.error().detail);
    }
    if (const Result<void> written = tables_.write(end_.sequence, records); !written) {
        full_ = written.error().code == Code::full;
        return full_ ? written : lost(written.error().detail);
    }
    const Mark before = std::exchange(
        end_, Mark{.sequence = end_.sequence + records.size(), .hash = records.back().index->hash});
    marks_.publish(end_);
    if (!marks_.wait_for(before.sequence)) return lost("its high-water mark cannot be written");
    return {};
}

Result<void> Committer::check_space(std::uint64_t record_bytes) const {
    std::uint64_t free = 0;
    const LogTablesOptions& tables = tables_.options();
    if (!tables.env->GetFreeSpace(tables.path, &free).ok()) return {};  // RocksDB will say it
    const std::uint64_t needed =
        options_.free_bytes_min + disk_bytes_per_record_byte * record_bytes;
    if (free >= needed) return {};
    return fail(Code::full,
                fmt::format("{} bytes are free in {}, {} are needed", free, tables.path, needed));
}

std::unexpected<Error> Committer::lost(std::string message) {
    lost_ = true;
    options_.fatal("the log cannot be written: " + message);
    return fail(Code::unknown, std::move(message));
}

}  // namespace bos::eventstore
