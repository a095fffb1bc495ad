#include "projections/event_record.h"

#include "schemas/event_lists.h"

#include <fmt/format.h>

#include <charconv>
#include <map>

namespace bos::projections {

namespace {

using Names = std::map<std::uint16_t, std::string_view>;

/// What each kind of stream is called, by its number.
const Names& names_of_aggregates() {
    static const Names names = [] {
        Names all;
        for_each_type(EventLists{}, [&]<class Events>() {
            for_each_type(Events{},
                          [&]<class E>() { all.emplace(E::aggregate, E::aggregate_name); });
        });
        return all;
    }();
    return names;
}

/// lead/0190…: a kind that this version does not know is told by its number.
std::string subject_of(const StreamId& stream) {
    const auto known = names_of_aggregates().find(stream.type);
    if (known == names_of_aggregates().end()) {
        return fmt::format("{}/{}", stream.type, to_string(stream.id));
    }
    return fmt::format("{}/{}", known->second, to_string(stream.id));
}

template <class Number>
bool read_number(std::string_view text, Number& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::size_t EventRecord::bytes() const {
    std::size_t sum = key.size() + value.size();
    for (const auto& [name, text] : headers) sum += name.size() + text.size();
    return sum;
}

EventRecord event_record(const eventstore::Commit& commit, std::uint32_t index) {
    const eventstore::RecordedEvent& event = commit.events[index];
    EventRecord record{.key = to_string(event.stream.id),
                       .value = event.payload,
                       .headers = {},
                       .time = commit.recorded_at};
    record.headers = {
        {"content-type", "application/vnd.bos.flatbuffers"},
        {"ce_specversion", "1.0"},
        {event_headers::id, event_id(commit.tenant, {commit.position, index})},
        {"ce_source", "urn:bos:tenant:" + commit.tenant.value()},
        {"ce_type", event.type},
        {"ce_subject", subject_of(event.stream)},
        {"ce_time", to_string(commit.recorded_at)},
        {"ce_tenant", commit.tenant.value()},
        {"ce_position", fmt::format("{}", commit.position.value)},
        {"ce_index", fmt::format("{}", index)},
        {"ce_events", fmt::format("{}", commit.events.size())},
        {"ce_version", fmt::format("{}", event.version.value)},
        {"ce_command", commit.command},
        {"ce_correlation", to_string(commit.correlation)},
    };
    return record;
}

std::string event_id(const TenantId& tenant, const EventPlace& place) {
    return fmt::format("{}/{}/{}", tenant.value(), place.position.value, place.index);
}

std::optional<EventPlace> parse_event_id(const TenantId& tenant, std::string_view id) {
    const std::size_t first = id.find('/');
    const std::size_t second = id.rfind('/');
    if (first == std::string_view::npos || first == second) return std::nullopt;
    EventPlace place;
    if (!read_number(id.substr(first + 1, second - first - 1), place.position.value) ||
        !read_number(id.substr(second + 1), place.index) || event_id(tenant, place) != id) {
        return std::nullopt;
    }
    return place;
}

}  // namespace bos::projections
