#pragma once

#include "eventstore/commit.h"
#include "schemas/base/position.h"
#include "schemas/base/result.h"
#include "schemas/base/tenant.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bos::eventstore {

/// The end of a tenant's chain. An empty log has position 0 and the zero hash.
struct Head {
    Position position;
    Hash hash;

    friend bool operator==(const Head&, const Head&) = default;
};

/// Where an event of a stream stands.
struct EventAddress {
    Version version;
    Position position;
    std::uint32_t index = 0;  ///< in Commit::events

    friend bool operator==(const EventAddress&, const EventAddress&) = default;
};

/// Called exactly once for each append, on a thread of the engine, in the order of the appends of a
/// tenant. Must not block: post to your own executor.
///   value      durable and valid; the head that the record became
///   conflict   another owner wrote first, or an append before this one failed: nothing was written
///   full       no space: nothing was written
///   unavailable  the engine is stopping, or its queue is full: nothing was written
///   unknown    none or once: read the log again to learn it
using AppendDone = std::move_only_function<void(Result<Head>)>;

/// One append-only chain of records per tenant (design.md 1.3): a record is valid iff its position
/// is last + 1 and its previous_hash is the hash of the last valid record. Readers see valid
/// records only.
///
/// Thread-safe. Reads may run while appends do and see only what is durable.
class EventLog {
  public:
    virtual ~EventLog() = default;
    EventLog() = default;
    EventLog(const EventLog&) = delete;
    EventLog& operator=(const EventLog&) = delete;

    /// Hands over an encoded Commit and returns at once. Appends may be pipelined: record n + 1 may
    /// be handed over before n is durable; if n fails, those chained on it fail with `conflict`.
    virtual void append(std::string record, AppendDone done) = 0;

    /// Others may append to it from elsewhere. What rests on the log's end and appends nothing is
    /// certain only when confirm() says so.
    [[nodiscard]] virtual bool is_shared() const { return false; }

    /// Asks whether `end`, which the next append would continue, is the log's end for everybody:
    ///   value      at some time after this call nobody else had a valid record behind `end`. The
    ///              appends handed over before may still be under way; they have their own answers
    ///   conflict   another owner has one, and it is readable now; or an append before it failed
    ///   unavailable, full, corrupt  as of an append: it is not known
    /// `done` is called once, by a thread of the engine or before the call returns; in no order
    /// with those of appends.
    virtual void confirm(const TenantId& tenant, const Head& end, AppendDone done);

    [[nodiscard]] virtual Result<Head> head(const TenantId& tenant) const = 0;

    /// The exact bytes at `position`. Errors: not_found past the head or at 0, corrupt.
    [[nodiscard]] virtual Result<std::string> read(const TenantId& tenant,
                                                   Position position) const = 0;

    /// Visits the records from..to (both included, `to` cut to the head), in order; `visit` returns
    /// false to stop early. The view is only valid during the call. Errors: corrupt at the first
    /// gap.
    using Visit = std::function<bool(Position, std::string_view)>;
    [[nodiscard]] virtual Result<void> scan(const TenantId& tenant, Position from, Position to,
                                            const Visit& visit) const = 0;

    /// As scan(), with what each record says of its place in the chain.
    using VisitLink = std::function<bool(Position, const Link&, std::string_view)>;
    [[nodiscard]] virtual Result<void> scan_links(const TenantId& tenant, Position from,
                                                  Position to, const VisitLink& visit) const;

    /// Addresses of a stream's events from version `from` on, oldest first, at most `limit`.
    [[nodiscard]] virtual Result<std::vector<EventAddress>> stream(const TenantId& tenant,
                                                                   const StreamId& stream,
                                                                   Version from,
                                                                   std::size_t limit) const = 0;

    /// The commit that carries this idempotency key.
    [[nodiscard]] virtual Result<std::optional<Position>> find_key(const TenantId& tenant,
                                                                   std::string_view key) const = 0;

    /// Tenants with at least one record, in order of their ids.
    [[nodiscard]] virtual Result<std::vector<TenantId>> tenants() const = 0;

    /// Stops taking appends, finishes or refuses what is queued, and calls every outstanding done.
    /// Idempotent. After it, reads still work.
    virtual void stop() = 0;
};

/// The last position whose recorded_at is at or before `instant`; 0 when the log began later.
/// Binary search: recorded_at never decreases along a log.
[[nodiscard]] Result<Position> position_at(const EventLog& log, const TenantId& tenant,
                                           Timestamp instant);

/// The last event of a stream, found by a search over its versions; none when the stream has no
/// events.
[[nodiscard]] Result<std::optional<EventAddress>> newest_event(const EventLog& log,
                                                               const TenantId& tenant,
                                                               const StreamId& stream);

/// What a chain that was checked came to.
struct Verified {
    Head head;
    std::uint64_t bytes = 0;
};
/// Checks positions, hashes and recorded_at from position 1 to the head. Reads a long log with up
/// to four threads, piece by piece, and keeps no records. Errors: corrupt, with the first position
/// that is wrong and why.
[[nodiscard]] Result<Verified> verify_chain(const EventLog& log, const TenantId& tenant);

}  // namespace bos::eventstore
