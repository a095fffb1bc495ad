#include "eventstore/index_tail.h"

#include "eventstore/event_addresses.h"
#include "schemas/base/assert.h"

#include <algorithm>
#include <memory>
#include <mutex>

namespace bos::eventstore {

namespace {

// A reader waits for no more than these are added.
constexpr std::size_t records_at_once = 64;

}  // namespace

IndexTail::IndexTail(std::size_t segment_entries)
    : Tail(std::make_shared<IndexSegment>(0)), segment_entries_(segment_entries) {}

void IndexTail::restart(std::uint64_t indexed) {
    const std::lock_guard lock(mutex_);
    full_.clear();
    restart_with(std::make_shared<IndexSegment>(indexed));
}

// --- the writer --------------------------------------------------------------------------------

bool IndexTail::add(const RecordIndex& index) {
    const std::lock_guard lock(mutex_);
    const bool follows = growing_->add(index);
    seal_if_full();
    return follows;
}

void IndexTail::add_all(std::span<const RecordView> records) {
    while (!records.empty()) {
        const auto now = records.first(std::min(records.size(), records_at_once));
        records = records.subspan(now.size());
        const std::lock_guard lock(mutex_);
        for (const RecordView& record : now) {
            BOS_ASSERT(growing_->add(*record.index));
            seal_if_full();
        }
    }
}

void IndexTail::seal_if_full() {
    if (growing_->entries() < segment_entries_) return;
    const std::uint64_t last = growing_->last();
    seal(std::make_shared<IndexSegment>(last));
}

// --- look-ups ----------------------------------------------------------------------------------

template <class Look>
void IndexTail::newest_first(const Look& look) const {
    const std::lock_guard lock(mutex_);
    if (look(*growing_)) return;
    for (auto segment = full_.rbegin(); segment != full_.rend(); ++segment) {
        if (look(**segment)) return;
    }
}

std::optional<Head> IndexTail::head(const TenantId& tenant) const {
    std::optional<Head> head;
    newest_first([&](const IndexSegment& segment) {
        if (const auto* found = segment.tenant(tenant)) head = found->head();
        return head.has_value();
    });
    return head;
}

std::optional<std::uint64_t> IndexTail::sequence(const TenantId& tenant, Position position) const {
    std::optional<std::uint64_t> sequence;
    newest_first([&](const IndexSegment& segment) {
        const auto* found = segment.tenant(tenant);
        if (!found || position < found->first) return false;
        const std::uint64_t place = position.value - found->first.value;
        if (place < found->sequences.size()) sequence = found->sequences[place];
        return true;
    });
    return sequence;
}

std::optional<IndexTail::Run> IndexTail::run(const TenantId& tenant, Position from,
                                             Position to) const {
    std::optional<Run> run;
    newest_first([&](const IndexSegment& segment) {
        const auto* found = segment.tenant(tenant);
        if (!found) return false;
        const std::uint64_t size = found->sequences.size();
        const std::uint64_t first = found->first.value;
        const std::uint64_t begin = from.value > first ? std::min(from.value - first, size) : 0;
        const std::uint64_t end = to.value < first ? 0 : std::min(to.value - first + 1, size);
        if (!run) run.emplace();
        run->first = Position{first + begin};
        if (begin < end) {
            const auto all = found->sequences.begin();
            run->sequences.insert(run->sequences.begin(), all + static_cast<std::ptrdiff_t>(begin),
                                  all + static_cast<std::ptrdiff_t>(end));
        }
        return first <= from.value;
    });
    return run;
}

std::optional<Position> IndexTail::find_key(const TenantId& tenant, const Hash& key_digest) const {
    std::optional<Position> position;
    newest_first([&](const IndexSegment& segment) {
        position = segment.find_key(tenant, key_digest);
        return position.has_value();
    });
    return position;
}

std::vector<EventAddress> IndexTail::stream(const TenantId& tenant, const StreamId& stream,
                                            Version from, std::size_t limit) const {
    std::vector<EventAddress> addresses;
    const std::lock_guard lock(mutex_);
    const auto add_from = [&](const IndexSegment& segment) {
        const auto events = segment.stream(tenant, stream, from);
        for (const EventAddress& event : events.first(std::min(events.size(), limit)))
            put_newest(addresses, event);
    };
    for (const auto& segment : full_) add_from(*segment);
    add_from(*growing_);
    if (addresses.size() > limit) addresses.resize(limit);
    return addresses;
}

void IndexTail::add_tenants(std::set<TenantId>& tenants) const {
    newest_first([&](const IndexSegment& segment) {
        for (const IndexSegment::Tenant& each : segment.tenants()) tenants.insert(each.id);
        return false;
    });
}

}  // namespace bos::eventstore
