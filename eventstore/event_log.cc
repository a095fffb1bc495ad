#include "eventstore/event_log.h"

#include "schemas/base/assert.h"

#include <fmt/format.h>

namespace bos::eventstore {

namespace {

Result<Timestamp> recorded_at(const EventLog& log, const TenantId& tenant, Position position) {
    BOS_TRY(const std::string record, log.read(tenant, position));
    BOS_TRY(const Link link, link_of(record));
    return link.recorded_at;
}

/// Follows a chain record by record.
class ChainCheck {
  public:
    explicit ChainCheck(const TenantId& tenant) : tenant_(tenant) {}

    [[nodiscard]] Result<void> follow(Position position, std::string_view record) {
        const Result<Link> link = link_of(record);
        if (!link) return broken(position, link.error().detail);
        if (link->tenant != tenant_) {
            return broken(position, "record belongs to " + link->tenant.value());
        }
        if (link->position != position || position != verified_.head.position.next()) {
            return broken(position,
                          fmt::format("record says it is number {}", link->position.value));
        }
        if (link->previous_hash != verified_.head.hash) {
            return broken(position, "previous_hash is not the hash of the record before");
        }
        if (position.value > 1 && link->recorded_at < recorded_at_) {
            return broken(position, "recorded_at is before that of the record before");
        }
        recorded_at_ = link->recorded_at;
        verified_.head = Head{.position = position, .hash = hash_of(record)};
        verified_.bytes += record.size();
        return {};
    }

    [[nodiscard]] std::unexpected<Error> broken(Position position, std::string_view why) const {
        return fail(Code::corrupt, fmt::format("{}: log is broken at position {}: {}",
                                               tenant_.value(), position.value, why));
    }

    [[nodiscard]] const Verified& verified() const { return verified_; }

  private:
    const TenantId& tenant_;
    Timestamp recorded_at_{};
    Verified verified_;
};

constexpr std::uint64_t progress_every = 4096;

}  // namespace

void EventLog::confirm(const TenantId&, const Head& end, AppendDone done) {
    BOS_ASSERT(!is_shared());
    done(end);
}

Result<Position> position_at(const EventLog& log, const TenantId& tenant, Timestamp instant) {
    BOS_TRY(const Head head, log.head(tenant));
    std::uint64_t before = 0;                       // recorded at or before `instant`
    std::uint64_t after = head.position.value + 1;  // recorded after it
    while (after - before > 1) {
        const std::uint64_t middle = before + (after - before) / 2;
        BOS_TRY(const Timestamp recorded, recorded_at(log, tenant, Position{middle}));
        (recorded <= instant ? before : after) = middle;
    }
    return Position{before};
}

Result<Verified> verify_chain(const EventLog& log, const TenantId& tenant,
                              const std::function<void(Position)>& progress) {
    BOS_TRY(const Head head, log.head(tenant));
    ChainCheck check(tenant);
    Result<void> followed;
    BOS_CHECK(log.scan(tenant, Position{1}, head.position,
                       [&](Position position, std::string_view record) {
                           followed = check.follow(position, record);
                           if (progress && position.value % progress_every == 0) progress(position);
                           return followed.has_value();
                       }));
    BOS_CHECK(std::move(followed));
    // The last record's hash stands in no later record, only in the engine's idea of the head.
    if (check.verified().head != head) {
        return check.broken(head.position, "the log's head is not the last record");
    }
    if (progress) progress(head.position);
    return check.verified();
}

/// Doubles the version until the stream has ended, then halves the gap.
Result<std::optional<EventAddress>> newest_event(const EventLog& log, const TenantId& tenant,
                                                 const StreamId& stream) {
    std::optional<EventAddress> newest;
    std::uint64_t step = 1;
    bool growing = true;
    while (step > 0) {
        const Version probe{(newest ? newest->version.value : 0) + step};
        BOS_TRY(const auto found, log.stream(tenant, stream, probe, 1));
        if (!found.empty()) newest = found.front();
        growing = growing && !found.empty();
        step = growing ? step * 2 : step / 2;
    }
    return newest;
}

}  // namespace bos::eventstore
