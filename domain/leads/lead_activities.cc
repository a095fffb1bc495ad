#include "domain/leads/exit_criteria.h"
#include "domain/leads/lead_moves.h"
#include "domain/leads/leads.h"
#include "domain/leads/limits.h"
#include "domain/leads/rejecting.h"

namespace bos::leads {

namespace {

/// The contacted stage, if the first outbound activity takes the lead there: it stands before it
/// and may go on.
const Stage* contacted_by(const LeadState& before, const LeadState& after, const Facts& facts) {
    if (before.had_outbound_activity || !after.had_outbound_activity) return nullptr;
    const PipelineState& pipeline = pipeline_in(facts);
    const Stage& current = stage_of(before, facts);
    const Stage* contacted = pipeline.first_with(Milestone::contacted);
    const bool in_work =
        current.category == Category::open || current.category == Category::ongoing;
    if (contacted == nullptr || !in_work) return nullptr;
    if (pipeline.place_of(current) >= pipeline.place_of(*contacted)) return nullptr;
    // What a person would have to override, a machine does not do.
    return unmet_on_the_way(pipeline, current, *contacted, after) ? nullptr : contacted;
}

}  // namespace

LeadState evolve(LeadState lead, const ActivityLogged& event) {
    const bool reached_out =
        event.direction == Direction::outbound && event.kind != ActivityKind::note;
    if (reached_out) lead.had_outbound_activity = true;
    return lead;
}

Decision decide(const LeadState& lead, const LogActivity& command, const Facts& facts) {
    BOS_CHECK(require_lead(lead));
    if (command.occurred_at && *command.occurred_at > facts.now + limits::clock_skew) {
        return reject(Rejection::time_in_future, "/occurred_at");
    }
    const ActivityLogged logged{.lead = lead.id,
                                .activity = ActivityId(facts.new_id),
                                .kind = command.kind,
                                .direction = command.direction,
                                .subject = command.subject,
                                .body = command.body,
                                .occurred_at = command.occurred_at.value_or(facts.now),
                                .duration_minutes = command.duration_minutes};
    std::vector<Event> events{logged};
    if (const Stage* contacted = contacted_by(lead, evolve(lead, logged), facts)) {
        events.emplace_back(LeadStageChanged{.lead = lead.id,
                                             .move = move_to(*contacted, lead, facts),
                                             .overridden = false,
                                             .override_reason = std::nullopt,
                                             .automatic = true});
    }
    return events;
}

}  // namespace bos::leads
