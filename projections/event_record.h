#pragma once

#include "eventstore/commit.h"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bos::projections {

/// An event's place in its tenant's log: the commit, and which of its events.
struct EventPlace {
    Position position;
    std::uint32_t index = 0;

    friend auto operator<=>(const EventPlace&, const EventPlace&) = default;
};

/// One event as analysts get it: a CloudEvents 1.0 event in Kafka's binary mode. The value is the
/// event's payload as it was recorded, personal fields sealed. Every header: docs/events.md.
struct EventRecord {
    std::string key;  ///< id of the aggregate
    std::string_view value;
    std::vector<std::pair<std::string_view, std::string>> headers;
    Timestamp time;

    [[nodiscard]] std::size_t bytes() const;
};

/// The names of headers that the publisher reads again.
namespace event_headers {
inline constexpr char id[] = "ce_id";
}

/// `commit` has an event of this index, and outlives the record.
[[nodiscard]] EventRecord event_record(const eventstore::Commit& commit, std::uint32_t index);

/// acme/42/0: the tenant, the commit's position, the event's index in it. The same event has the
/// same id whoever publishes it and how often, and an id leads back to the log.
[[nodiscard]] std::string event_id(const TenantId& tenant, const EventPlace& place);
/// None when `id` is not exactly what event_id() gives for an event of this tenant.
[[nodiscard]] std::optional<EventPlace> parse_event_id(const TenantId& tenant, std::string_view id);

}  // namespace bos::projections
