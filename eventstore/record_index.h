#pragma once

#include "eventstore/commit.h"
#include "eventstore/event_log.h"

#include <boost/container/small_vector.hpp>

#include <string>
#include <string_view>

namespace bos::eventstore {

/// What the indexes of a log hold about one record. Derived from the record's bytes alone, so that
/// a replica filled from Kafka has the same indexes as the log that was written here.
struct RecordIndex {
    struct EventEntry {
        StreamId stream;
        Version version;
    };

    Link link;
    Hash hash;
    Hash key_digest;  ///< SHA-256 of the idempotency key: a fixed length whatever the client sent
    boost::container::small_vector<EventEntry, 2> events;  ///< most commits have few

    /// The head that the tenant's chain has once this record is its last.
    [[nodiscard]] Head head() const { return Head{.position = link.position, .hash = hash}; }
    /// Whether the record continues the chain that ends in `head`.
    [[nodiscard]] bool continues(const Head& head) const {
        return link.position == head.position.next() && link.previous_hash == head.hash;
    }
};

/// A record on its way into a log, with what its indexes say.
struct IndexedRecord {
    std::string bytes;
    RecordIndex index;
};

/// The same, of bytes and index that somebody else holds.
struct RecordView {
    std::string_view bytes;
    const RecordIndex* index = nullptr;

    RecordView(std::string_view of, const RecordIndex& its_index) : bytes(of), index(&its_index) {}
    explicit RecordView(const IndexedRecord& record) : RecordView(record.bytes, record.index) {}
};

/// Errors: corrupt.
[[nodiscard]] Result<RecordIndex> index_of(std::string_view record);

}  // namespace bos::eventstore
