#pragma once

#include "eventstore/event_log.h"
#include "eventstore/index_segment.h"
#include "eventstore/tail.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace bos::eventstore {

/// The index of the newest records, those that the tables do not have yet, in segments.
///
/// A look-up that finds nothing here goes on in the tables, in this order: a segment leaves the
/// tail when the tables have it, so what was here before is there after.
///
/// Thread-safe.
class IndexTail : public Tail<IndexSegment> {
  public:
    /// A segment is full with so many entries.
    explicit IndexTail(std::size_t segment_entries);

    /// Begins anew, empty, after the record `indexed`.
    void restart(std::uint64_t indexed);

    // For the one thread that writes.

    /// The next record. False: it does not follow its tenant's last one.
    [[nodiscard]] bool add(const RecordIndex& index);
    /// The next ones; they follow.
    void add_all(std::span<const RecordView> records);

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
};

}  // namespace bos::eventstore
