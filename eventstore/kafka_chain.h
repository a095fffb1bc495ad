#pragma once

#include "eventstore/event_log.h"
#include "eventstore/record_index.h"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace bos::eventstore {

/// Where a record stands in its topic: 0, 1, 2 … over all records, valid or not.
struct Offset {
    std::int64_t value = 0;

    friend auto operator<=>(const Offset&, const Offset&) = default;
    [[nodiscard]] Offset next() const { return Offset{value + 1}; }
};

/// A record's place in the chain of its tenant.
struct ChainLink {
    Position position;
    Hash previous_hash;
    Hash hash;

    [[nodiscard]] Head head() const { return Head{.position = position, .hash = hash}; }
    [[nodiscard]] bool continues(const Head& head) const {
        return position == head.position.next() && previous_hash == head.hash;
    }
};
[[nodiscard]] inline ChainLink link_of(const RecordIndex& index) {
    return {.position = index.link.position,
            .previous_hash = index.link.previous_hash,
            .hash = index.hash};
}

/// One tenant's topic as a writer sees it: which records are valid, and which of its own appends
/// are decided. No I/O, no clock: it is told what was sent, reported and read, and says what
/// follows (the argument: docs/kafka.md).
///
/// Every reader folds the topic's records in the order of their offsets, and a record is valid iff
/// it continues the chain of the valid ones before it. So an append is decided in two cases only:
///   valid  its record was folded and continued the chain;
///   dead   another record was folded at its position, or at that of an append it is chained on.
///          Positions are taken once, so no copy of it that arrives later can become valid.
/// That its message was lost, or reported as failed, decides nothing: a copy may be on its way.
///
/// Invariant: the open appends continue each other, and the first of them continues head().
class KafkaChain {
  public:
    /// What follows from an event, in this order.
    enum class Step : std::uint8_t {
        own_valid,    ///< the oldest open append is valid
        own_dead,     ///< the oldest open append can never become valid
        own_refused,  ///< the oldest open append was refused() when it came; it is its turn now
        read_valid,   ///< the record that read() was called with is valid and not an open append
    };
    using Steps = std::vector<Step>;

    /// The chain ends in `head`, whose record stands at `head_offset` (none: the log is empty), and
    /// all before `next` is folded.
    KafkaChain(const Head& head, std::optional<Offset> head_offset, Offset next);

    /// The end of the valid chain, and where its last record stands.
    [[nodiscard]] const Head& head() const { return head_; }
    [[nodiscard]] std::optional<Offset> head_offset() const { return head_offset_; }
    /// What the next append has to continue: the last open one, else the head.
    [[nodiscard]] const Head& end() const { return end_; }
    /// The first offset that is not folded.
    [[nodiscard]] Offset next() const { return next_; }

    /// An append that continues end() was handed to the producer.
    void sent(const ChainLink& link);
    /// An append was refused and never sent. It is answered after those before it.
    void refused(Steps& steps);

    /// The broker has stored a sent() record at `offset`, with all before it. False: that cannot be
    /// so in the topic known until now; it was exchanged for another.
    [[nodiscard]] bool delivered(Offset offset, const ChainLink& link, Steps& steps);
    /// A sent() record has no report, or one without an offset: it may stand anywhere, once, more
    /// often or not at all, now or later.
    void lost();

    /// The topic has this at `offset`, and nothing between there and what was read before; no link:
    /// bytes that are no record of the tenant. False: as delivered().
    [[nodiscard]] bool read(Offset offset, const std::optional<ChainLink>& link, Steps& steps);
    /// The topic was read up to `end`, not included.
    [[nodiscard]] bool read_to(Offset end, Steps& steps);

    /// Something stands before a delivered record that was not folded: read from next() up to here.
    [[nodiscard]] std::optional<Offset> gap() const;
    /// An append was lost, or overtaken, and what comes now would be chained on it.
    [[nodiscard]] bool unsettled() const { return unsettled_; }
    /// Open appends remain and nothing more will be heard of them. Only a valid record at their
    /// position decides: append one, and read.
    [[nodiscard]] bool in_doubt() const;

    /// Appends that are not answered yet, with the refused ones among them.
    [[nodiscard]] std::size_t open() const { return open_.size(); }
    /// Records that were folded and not valid.
    [[nodiscard]] std::uint64_t ignored() const { return ignored_; }

  private:
    void fold(Offset offset, const std::optional<ChainLink>& link, Steps& steps);
    void fold_parked(Steps& steps);
    void answer_refused(Steps& steps);
    void answer_dead(Steps& steps);
    [[nodiscard]] bool is_open(const ChainLink& link) const;

    Head head_;
    Head end_;
    std::optional<Offset> head_offset_;
    Offset next_;
    std::deque<std::optional<ChainLink>> open_;  ///< in the order of appends; none = refused
    std::map<Offset, ChainLink> parked_;         ///< delivered beyond next_
    std::size_t outstanding_ = 0;                ///< sent, and no report yet
    bool unsettled_ = false;
    std::uint64_t ignored_ = 0;
};

}  // namespace bos::eventstore
