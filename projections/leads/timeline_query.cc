// What happened to a lead. Nothing is copied for it: the log's own index of the stream is the
// timeline, so it goes back to any position and cannot differ from what happened.
#include "eventstore/sealed_fields.h"
#include "projections/leads/queries.h"
#include "projections/leads/visible.h"
#include "schemas/base/json_write.h"

#include <algorithm>
#include <charconv>

namespace bos::projections {

using bos::leads::Event;
using bos::leads::GetTimeline;
using bos::leads::Timeline;
using bos::leads::TimelineEntry;

namespace {

/// The event as its viewer may read it: personal fields opened, or erased.
Result<std::string> readable(const eventstore::RecordedEvent& recorded,
                             const QueryContext& context) {
    BOS_TRY(Event event, decode_numbered<Event>(recorded.number, recorded.payload));
    Result<void> opened;
    std::string json;
    std::visit(
        [&](auto& fact) {
            opened =
                eventstore::open_fields(fact, context.sealer, context.tenant(), recorded.stream);
            json = to_json(fact, ShowPii::plain);
        },
        event);
    BOS_CHECK(opened);
    return json;
}

Result<TimelineEntry> entry_at(const eventstore::EventAddress& address,
                               const QueryContext& context) {
    BOS_TRY(const std::string record, context.log.read(context.tenant(), address.position));
    BOS_TRY(const eventstore::Commit commit, eventstore::decode(record));
    if (address.index >= commit.events.size())
        return fail(Code::corrupt, "the stream index points past a record's events");
    const eventstore::RecordedEvent& recorded = commit.events[address.index];
    TimelineEntry entry{.position = address.position.value,
                        .version = address.version.value,
                        .at = commit.recorded_at,
                        .actor = commit.actor.id,
                        .type = recorded.type,
                        .data = {}};
    BOS_TRY(entry.data, readable(recorded, context));
    return entry;
}

}  // namespace

/// The cursor is the version to go on below: versions never change, so it needs no more.
Result<Timeline> answer(const GetTimeline& query, const QueryContext& context) {
    BOS_TRY(const bos::leads::Lead lead, leads::visible_lead(query.lead, context));
    std::uint64_t below = lead.version + 1;
    if (query.cursor) {
        const char* const end = query.cursor->data() + query.cursor->size();
        const auto [stop, error] = std::from_chars(query.cursor->data(), end, below);
        if (error != std::errc{} || stop != end || below == 0 || below > lead.version + 1) {
            return fail(Code::invalid, "cursor is not one that this list gave.");
        }
    }
    const std::uint64_t limit = query.limit.value_or(50);
    const std::uint64_t first = below > limit + 1 ? below - limit : 1;
    BOS_TRY(auto addresses, context.log.stream(context.tenant(), leads::stream_of(query.lead),
                                               Version{first}, below - first));
    std::ranges::reverse(addresses);
    Timeline timeline{.items = {}, .next = {}, .position = context.reader.position().value};
    for (const eventstore::EventAddress& address : addresses) {
        BOS_TRY(TimelineEntry entry, entry_at(address, context));
        timeline.items.push_back(std::move(entry));
    }
    if (first > 1) timeline.next = std::to_string(first);
    return timeline;
}

}  // namespace bos::projections
