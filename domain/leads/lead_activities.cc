#include "domain/leads/exit_criteria.h"
#include "domain/leads/lead_moves.h"
#include "domain/leads/leads.h"
#include "domain/leads/limits.h"
#include "domain/leads/rejecting.h"

#include <fmt/format.h>

#include <algorithm>

namespace bos::leads {

namespace {

/// A note reaches nobody, nor does what comes in or stays inside.
bool reaches_out(ActivityKind kind, Direction direction) {
    return direction == Direction::outbound && kind != ActivityKind::note;
}

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

/// What was done, whether it was scheduled or not, and the move that it leads to.
template <class Done>
std::vector<Event> with_its_move(const LeadState& lead, const Done& done, const Facts& facts) {
    std::vector<Event> events{done};
    if (const Stage* contacted = contacted_by(lead, evolve(lead, done), facts)) {
        events.emplace_back(LeadStageChanged{.lead = lead.id,
                                             .move = move_to(*contacted, lead, facts),
                                             .overridden = false,
                                             .override_reason = std::nullopt,
                                             .automatic = true});
    }
    return events;
}

/// When something was done: now, unless the command says another time.
Checked<Timestamp> time_of(const std::optional<Timestamp>& occurred_at, const Facts& facts) {
    if (occurred_at && *occurred_at > facts.now + limits::clock_skew) {
        return reject(Rejection::time_in_future, "/occurred_at");
    }
    return occurred_at.value_or(facts.now);
}

Checked<const ScheduledActivity*> open_activity(const LeadState& lead, ActivityId activity) {
    const auto open =
        std::ranges::find(lead.open_activities, activity, &ScheduledActivity::activity);
    if (open != lead.open_activities.end()) return &*open;
    const bool closed =
        std::ranges::find(lead.closed_activities, activity) != lead.closed_activities.end();
    return reject(closed ? Rejection::activity_not_open : Rejection::activity_not_found,
                  "/activity");
}

LeadState closed(LeadState lead, ActivityId activity) {
    std::erase_if(lead.open_activities,
                  [&](const ScheduledActivity& open) { return open.activity == activity; });
    if (lead.closed_activities.size() == limits::closed_activities)
        lead.closed_activities.erase(lead.closed_activities.begin());
    lead.closed_activities.push_back(activity);
    return lead;
}

}  // namespace

LeadState evolve(LeadState lead, const ActivityLogged& event) {
    if (reaches_out(event.kind, event.direction)) lead.had_outbound_activity = true;
    return lead;
}

LeadState evolve(LeadState lead, const ActivityScheduled& event) {
    lead.open_activities.push_back(
        {.activity = event.activity, .kind = event.kind, .due_at = event.due_at});
    return lead;
}

LeadState evolve(LeadState lead, const ActivityCompleted& event) {
    if (reaches_out(event.kind, event.direction)) lead.had_outbound_activity = true;
    return closed(std::move(lead), event.activity);
}

LeadState evolve(LeadState lead, const ActivityRescheduled& event) {
    const auto open =
        std::ranges::find(lead.open_activities, event.activity, &ScheduledActivity::activity);
    if (open != lead.open_activities.end()) open->due_at = event.due_at;
    return lead;
}

LeadState evolve(LeadState lead, const ActivityCancelled& event) {
    return closed(std::move(lead), event.activity);
}

Decision decide(const LeadState& lead, const LogActivity& command, const Facts& facts) {
    // What is learned of an archived lead can still be written down.
    const bool note = command.kind == ActivityKind::note;
    BOS_CHECK(note ? require_lead(lead) : require_active(lead));
    BOS_TRY(const Timestamp occurred_at, time_of(command.occurred_at, facts));
    const ActivityLogged logged{.lead = lead.id,
                                .activity = ActivityId(facts.new_id),
                                .kind = command.kind,
                                .direction = command.direction,
                                .subject = command.subject,
                                .body = command.body,
                                .occurred_at = occurred_at,
                                .duration_minutes = command.duration_minutes};
    return with_its_move(lead, logged, facts);
}

Decision decide(const LeadState& lead, const ScheduleActivity& command, const Facts& facts) {
    BOS_CHECK(require_active(lead));
    if (lead.open_activities.size() >= limits::open_activities) {
        return reject(Rejection::too_many, "",
                      fmt::format("at most {} open activities", limits::open_activities));
    }
    return {{ActivityScheduled{.lead = lead.id,
                               .activity = ActivityId(facts.new_id),
                               .kind = command.kind,
                               .subject = command.subject,
                               .body = command.body,
                               .due_at = command.due_at,
                               .assignee = command.assignee}}};
}

Decision decide(const LeadState& lead, const CompleteActivity& command, const Facts& facts) {
    BOS_CHECK(require_active(lead));
    BOS_TRY(const ScheduledActivity* open, open_activity(lead, command.activity));
    BOS_TRY(const Timestamp occurred_at, time_of(command.occurred_at, facts));
    const ActivityCompleted completed{.lead = lead.id,
                                      .activity = command.activity,
                                      .kind = open->kind,
                                      .direction = command.direction,
                                      .outcome = command.outcome,
                                      .occurred_at = occurred_at,
                                      .duration_minutes = command.duration_minutes};
    return with_its_move(lead, completed, facts);
}

Decision decide(const LeadState& lead, const RescheduleActivity& command, const Facts&) {
    BOS_CHECK(require_active(lead));
    BOS_TRY(const ScheduledActivity* open, open_activity(lead, command.activity));
    if (open->due_at == command.due_at) return {};
    return {{ActivityRescheduled{.lead = lead.id,
                                 .activity = command.activity,
                                 .due_at = command.due_at,
                                 .previous_due_at = open->due_at}}};
}

Decision decide(const LeadState& lead, const CancelActivity& command, const Facts&) {
    BOS_CHECK(require_active(lead));
    BOS_CHECK(open_activity(lead, command.activity));
    return {{ActivityCancelled{
        .lead = lead.id, .activity = command.activity, .reason = command.reason}}};
}

}  // namespace bos::leads
