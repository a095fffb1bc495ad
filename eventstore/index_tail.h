#pragma once

#include "eventstore/event_log.h"
#include "eventstore/index_segment.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace bos::eventstore {

/// The index of the newest records, those that the tables do not have yet: one segment that grows,
/// and before it those that are full and wait to be written to the tables. It is bounded: a writer
/// waits for room, and adds one write to it.
///
/// A look-up that finds nothing here goes on in the tables, in this order: a segment leaves the
/// tail when the tables have it, so what was here before is there after.
///
/// Thread-safe.
class IndexTail {
  public:
    /// A segment is full with so many entries.
    explicit IndexTail(std::size_t segment_entries);

    /// Begins anew, empty, after the record `indexed`.
    void restart(std::uint64_t indexed);

    // For the one thread that writes.

    /// Blocks while the tail is full and segments leave it. Errors: full, when they cannot.
    [[nodiscard]] Result<void> wait_for_room();
    [[nodiscard]] bool has_room() const;
    /// The next record. False: it does not follow its tenant's last one.
    [[nodiscard]] bool add(const RecordIndex& index);
    /// The next ones; they follow.
    void add_all(std::span<const RecordView> records);

    // For the one thread that moves segments to the tables.

    /// The oldest full segment: the next one to be written. Blocks until there is one; null after
    /// stop().
    [[nodiscard]] std::shared_ptr<const IndexSegment> wait_for_full();
    /// As wait_for_full(), null when there is none now.
    [[nodiscard]] std::shared_ptr<const IndexSegment> oldest_full() const;
    /// The tables have the oldest full segment.
    void drop_oldest();
    /// The oldest full segment could not be written, since the disk is full: `why`, until it could.
    void stuck(Error why);
    /// Blocks until `time` is over, the tail was restarted or stopped.
    void pause(std::chrono::milliseconds time);
    void stop();

    // Look-ups. Of a tenant without records here: none.

    [[nodiscard]] std::optional<Head> head(const TenantId& tenant) const;
    [[nodiscard]] std::optional<std::uint64_t> sequence(const TenantId& tenant,
                                                        Position position) const;
    /// Where the records `first`, first + 1, … stand; all from `from` on are here, up to the
    /// tenant's head or `to`.
    struct Run {
        Position first;
        std::vector<std::uint64_t> sequences;
    };
    [[nodiscard]] std::optional<Run> run(const TenantId& tenant, Position from, Position to) const;
    [[nodiscard]] std::optional<Position> find_key(const TenantId& tenant,
                                                   const Hash& key_digest) const;
    /// Events from version `from` on, in order; of those with one version, the last one.
    [[nodiscard]] std::vector<EventAddress> stream(const TenantId& tenant, const StreamId& stream,
                                                   Version from, std::size_t limit) const;
    void add_tenants(std::set<TenantId>& tenants) const;

  private:
    /// Newest segment first, until `look` returns true.
    template <class Look>
    void newest_first(const Look& look) const;
    void seal_if_full();

    const std::size_t segment_entries_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    // Guarded by mutex_. Full segments do not change any more.
    std::deque<std::shared_ptr<const IndexSegment>> full_;  ///< oldest first
    std::shared_ptr<IndexSegment> growing_;
    std::optional<Error> stuck_;
    std::uint64_t restarts_ = 0;
    bool stopping_ = false;
};

}  // namespace bos::eventstore
