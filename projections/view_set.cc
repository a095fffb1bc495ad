#include "projections/view_set.h"

#include "schemas/base/assert.h"

#include <fmt/format.h>

#include <algorithm>

namespace bos::projections {

std::vector<Uuid> streams_begun_in(const eventstore::Commit& commit) {
    std::vector<Uuid> ids;
    for (const eventstore::RecordedEvent& event : commit.events) {
        if (event.version == Version{1}) ids.push_back(event.stream.id);
    }
    return ids;
}

void ViewSet::learn_event(std::uint16_t number, std::string_view name, Deliver deliver,
                          std::uint16_t view) {
    Route& route = routes_[number];
    BOS_ASSERT(route.event.empty() || route.event == name);  // a number belongs to one event
    route.event = name;
    route.deliver = deliver;
    const auto place = std::ranges::find(views_, view, &ViewDescription::id);
    route.listeners.push_back(static_cast<std::size_t>(place - views_.begin()));
}

void ViewSet::check_distinct() const {
    for (std::size_t i = 0; i < views_.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            BOS_ASSERT(views_[i].id != views_[j].id && views_[i].name != views_[j].name);
        }
    }
}

void ViewSet::apply(const eventstore::Commit& commit, const eventstore::FieldSealer& sealer,
                    Writers writers) const {
    for (std::uint32_t index = 0; index < commit.events.size(); ++index) {
        const eventstore::RecordedEvent& event = commit.events[index];
        const auto route = routes_.find(event.number);
        if (route == routes_.end()) continue;
        const auto has_writer = [&](std::size_t place) { return writers[place].has_value(); };
        if (std::ranges::none_of(route->second.listeners, has_writer)) continue;
        const EventContext context{commit.tenant, commit.position, commit.recorded_at,
                                   commit.actor,  event.stream,    event.version,
                                   index,         commit,          sealer};
        route->second.deliver(event.payload, context, writers);
    }
}

void ViewSet::refuse(std::string_view event, const EventContext& context, const Error& error,
                     Writers writers) {
    for (std::optional<ViewWriter>& writer : writers) {
        if (!writer) continue;
        writer->fail(Error{error.code,
                           fmt::format("{} at position {} of {}: {}", event, context.position.value,
                                       context.tenant.value(), error.detail)});
    }
}

}  // namespace bos::projections
