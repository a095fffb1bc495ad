#include "projections/events_topic.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace bos::projections {

namespace {

// Batch and record headers around the largest payload.
constexpr std::size_t batch_room_bytes = 64 * 1024;

/// Whether the log has this event, with these bytes.
bool is_in(const eventstore::EventLog& log, const TenantId& tenant, const EventPlace& place,
           std::string_view payload) {
    const auto record = log.read(tenant, place.position);
    if (!record) return false;
    const auto commit = eventstore::decode(*record);
    return commit && place.index < commit->events.size() &&
           commit->events[place.index].payload == payload;
}

}  // namespace

Result<std::unique_ptr<EventsTopics>> EventsTopics::open(Options options) {
    BOS_TRY(auto tail, eventstore::kafka::TopicTail::open(options.properties, options.timeout));
    return std::unique_ptr<EventsTopics>(new EventsTopics(std::move(options), std::move(tail)));
}

std::string EventsTopics::name_of(const TenantId& tenant) const {
    return options_.prefix + tenant.value();
}

std::map<std::string, std::string> EventsTopics::settings() const {
    return {{"cleanup.policy", "delete"},
            {"retention.ms", "-1"},
            {"retention.bytes", "-1"},
            {"min.insync.replicas", std::to_string(options_.min_insync_replicas)},
            {"max.message.bytes", std::to_string(eventstore::record_bytes_max + batch_room_bytes)}};
}

Result<void> EventsTopics::ensure(const std::string& topic) {
    return eventstore::kafka::prepare_topic(tail_->handle(),
                                            {.name = topic,
                                             .partitions = 1,
                                             .replicas = options_.replicas,
                                             .settings = settings(),
                                             .checked = false},
                                            eventstore::kafka::Missing::create, options_.timeout);
}

Result<eventstore::Offset> EventsTopics::end(const std::string& topic) { return tail_->end(topic); }

Result<std::optional<EventPlace>> EventsTopics::last_published(const TenantId& tenant,
                                                               const eventstore::EventLog& log) {
    using eventstore::kafka::TopicTail;
    std::optional<EventPlace> last;
    std::int64_t foreign = 0;
    const std::string topic = name_of(tenant);
    BOS_CHECK(
        tail_->read_back(topic, options_.foreign_records_max, [&](const TopicTail::Record& record) {
            const auto id = record.header(event_headers::id);
            const auto place = id ? parse_event_id(tenant, *id) : std::nullopt;
            if (place && is_in(log, tenant, *place, record.value())) {
                last = place;
                return false;
            }
            ++foreign;
            return true;
        }));
    if (foreign > 0) spdlog::warn("{}: {} records at its end are not of its log", topic, foreign);
    return last;
}

}  // namespace bos::projections
