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

}  // namespace

void EventLog::confirm(const TenantId&, const Head& end, AppendDone done) {
    BOS_ASSERT(!is_shared());
    done(end);
}

Result<void> EventLog::scan_links(const TenantId& tenant, Position from, Position to,
                                  const VisitLink& visit) const {
    Result<void> readable;
    BOS_CHECK(scan(tenant, from, to, [&](Position position, std::string_view record) {
        const Result<Link> link = link_of(record);
        if (link) return visit(position, *link, record);
        readable =
            fail(Code::corrupt, fmt::format("{}: log is broken at position {}: {}", tenant.value(),
                                            position.value, link.error().detail));
        return false;
    }));
    return readable;
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
