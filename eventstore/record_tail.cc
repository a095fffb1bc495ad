#include "eventstore/record_tail.h"

#include "schemas/base/assert.h"

#include <cstring>
#include <mutex>
#include <utility>

namespace bos::eventstore {

namespace {

using SteadyClock = std::chrono::steady_clock;

}  // namespace

RecordTail::RecordTail(const Bounds& bounds)
    : Tail(std::make_shared<RecordPortion>(0)), bounds_(bounds) {}

bool RecordTail::restart(std::uint64_t written) {
    const std::lock_guard lock(mutex_);
    if (written < this->written()) return false;
    if (!growing_->records.empty()) seal_growing();
    while (!full_.empty() && full_.front()->last() <= written) full_.pop_front();
    restart_with(std::make_shared<RecordPortion>(full_.empty() ? written : full_.back()->last()));
    // A portion is in the tables whole or not at all.
    return full_.empty() || full_.front()->before == written;
}

// --- the writer --------------------------------------------------------------------------------

void RecordTail::add(std::span<const RecordView> records, std::span<const Origin> origins,
                     std::span<const Position> ends) {
    BOS_ASSERT(origins.size() == ends.size());
    std::size_t bytes = 0;
    for (const RecordView& record : records) bytes += record.bytes.size();
    auto chunk = std::make_unique_for_overwrite<char[]>(bytes);
    std::vector<std::string_view> copies;
    copies.reserve(records.size());
    for (char* to = chunk.get(); const RecordView& record : records) {
        std::memcpy(to, record.bytes.data(), record.bytes.size());
        copies.emplace_back(to, record.bytes.size());
        to += record.bytes.size();
    }
    const std::lock_guard lock(mutex_);
    RecordPortion& portion = *growing_;
    if (portion.records.empty()) {
        portion.begun = SteadyClock::now();
        changed_.notify_all();  // from now on it has a time
    }
    portion.records.insert(portion.records.end(), copies.begin(), copies.end());
    portion.chunks.push_back(std::move(chunk));
    portion.bytes += bytes;
    for (std::size_t i = 0; i < origins.size(); ++i) {
        auto& end =
            portion.ends.try_emplace(*origins[i].tenant, RecordPortion::End{ends[i], {}, {}})
                .first->second;
        end.position = origins[i].position;
        end.offset = origins[i].offset;
    }
    if (portion.bytes >= bounds_.portion_bytes) seal_growing();
}

void RecordTail::seal_growing() {
    const std::uint64_t last = growing_->last();
    seal(std::make_shared<RecordPortion>(last));
}

// --- the mover ---------------------------------------------------------------------------------

std::shared_ptr<const RecordPortion> RecordTail::wait_for_full() {
    std::unique_lock lock(mutex_);
    while (!stopping_ && full_.empty()) {
        const auto due = growing_->begun + bounds_.held;
        if (growing_->records.empty()) {
            changed_.wait(lock);
        } else if (SteadyClock::now() >= due) {
            seal_growing();
        } else {
            changed_.wait_until(lock, due);
        }
    }
    return stopping_ ? nullptr : full_.front();
}

Result<void> RecordTail::wait_until_written(std::uint64_t sequence) {
    return wait_until_written(sequence, std::unique_lock(mutex_));
}

Result<void> RecordTail::wait_until_all_written() {
    std::unique_lock lock(mutex_);
    const std::uint64_t last = growing_->last();
    return wait_until_written(last, std::move(lock));
}

Result<void> RecordTail::wait_until_written(std::uint64_t sequence,
                                            std::unique_lock<std::mutex> lock) {
    if (growing_->before < sequence && !growing_->records.empty()) seal_growing();
    changed_.wait(lock, [&] { return written() >= sequence || stuck_ || stopping_; });
    if (written() >= sequence) return {};
    return std::unexpected(why_not());
}

std::uint64_t RecordTail::written() const {
    return full_.empty() ? growing_->before : full_.front()->before;
}

// --- look-ups ----------------------------------------------------------------------------------

std::optional<RecordTail::Found> RecordTail::find(std::uint64_t sequence) const {
    const std::lock_guard lock(mutex_);
    if (sequence <= written() || sequence > growing_->last()) return std::nullopt;
    const auto in = [&](std::shared_ptr<const RecordPortion> portion) {
        const std::string_view bytes = portion->records[sequence - portion->before - 1];
        return Found{.portion = std::move(portion), .bytes = bytes};
    };
    if (sequence > growing_->before) return in(growing_);
    for (auto portion = full_.rbegin(); portion != full_.rend(); ++portion)
        if (sequence > (*portion)->before) return in(*portion);
    return std::nullopt;
}

std::optional<Offset> RecordTail::offset_of(const TenantId& tenant, Position position) const {
    const std::lock_guard lock(mutex_);
    const auto in = [&](const RecordPortion& portion) -> std::optional<Offset> {
        const auto end = portion.ends.find(tenant);
        if (end == portion.ends.end() || end->second.position != position) return std::nullopt;
        return end->second.offset;
    };
    if (const auto offset = in(*growing_)) return offset;
    for (auto portion = full_.rbegin(); portion != full_.rend(); ++portion)
        if (const auto offset = in(**portion)) return offset;
    return std::nullopt;
}

std::vector<RecordTail::Found> RecordTail::all() const {
    const std::lock_guard lock(mutex_);
    std::vector<Found> found;
    const auto add = [&](const std::shared_ptr<const RecordPortion>& portion) {
        for (const std::string_view bytes : portion->records) found.push_back({portion, bytes});
    };
    for (const auto& portion : full_) add(portion);
    add(growing_);
    return found;
}

}  // namespace bos::eventstore
