#include "projections/leads/lead_row.h"

#include "schemas/base/same_fields.h"

#include <algorithm>
#include <utility>

namespace bos::projections::leads {

namespace {

void move_to(Lead& lead, const StageMove& move) {
    lead.stage = move.to;
    lead.category = move.to_category;
    lead.stage_since = move.at;
    if (move.to_category != Category::lost) {
        lead.lost_reason.reset();
        lead.lost_note.reset();
    }
    if (move.to_category != Category::on_hold) lead.held_until.reset();
}

void count_activity(Lead& lead, ActivityKind kind, bos::leads::Direction direction,
                    Timestamp occurred_at) {
    ++lead.activity_count;
    const bool contact = kind != ActivityKind::note && direction != bos::leads::Direction::internal;
    if (contact && lead.last_contact_at.value_or(Timestamp::min()) < occurred_at) {
        lead.last_contact_at = occurred_at;
    }
}

/// Those of one time stand in the order of their ids, so that every fold gives the same row.
void put_in_order(Lead& lead) {
    std::ranges::sort(lead.open_activities, {},
                      [](const OpenActivity& open) { return std::pair(open.due_at, open.id); });
    lead.next_activity_at.reset();
    if (!lead.open_activities.empty()) lead.next_activity_at = lead.open_activities.front().due_at;
}

void close_activity(Lead& lead, ActivityId activity) {
    std::erase_if(lead.open_activities,
                  [&](const OpenActivity& open) { return open.id == activity; });
    put_in_order(lead);
}

}  // namespace

void update(Lead& lead, const LeadCaptured& event, const EventContext&) {
    copy_same_fields(event, lead);
    lead.id = event.lead;
    lead.stage_since = event.captured_at;
    lead.created_at = event.captured_at;
    lead.created_by = event.captured_by;
}

void update(Lead& lead, const LeadChanged& event, const EventContext&) {
    apply_change(event.changes, lead.profile);
}

void update(Lead& lead, const LeadAssigned& event, const EventContext&) {
    lead.owner = event.owner;
}

void update(Lead& lead, const CollaboratorAdded& event, const EventContext&) {
    lead.collaborators.push_back(event.user);
}

void update(Lead& lead, const CollaboratorRemoved& event, const EventContext&) {
    std::erase(lead.collaborators, event.user);
}

void update(Lead& lead, const LeadStageChanged& event, const EventContext&) {
    move_to(lead, event.move);
}

void update(Lead& lead, const LeadQualified& event, const EventContext&) {
    move_to(lead, event.move);
}

void update(Lead& lead, const LeadDisqualified& event, const EventContext&) {
    move_to(lead, event.move);
    lead.lost_reason = event.lost_reason;
    lead.lost_note = event.lost_note;
}

void update(Lead& lead, const LeadRecycled& event, const EventContext&) {
    move_to(lead, event.move);
    lead.score = 0;
    lead.score_reasons.clear();
}

void update(Lead& lead, const LeadHeld& event, const EventContext&) {
    move_to(lead, event.move);
    lead.held_until = event.held_until;
    lead.hold_generation = event.generation;
}

void update(Lead& lead, const LeadHoldChanged& event, const EventContext&) {
    lead.held_until = event.held_until;
    lead.hold_generation = event.generation;
}

void update(Lead& lead, const LeadResumed& event, const EventContext&) {
    move_to(lead, event.move);
}

void update(Lead& lead, const LeadScored& event, const EventContext&) {
    lead.score = event.score;
    lead.score_reasons = event.score_reasons;
}

void update(Lead& lead, const LeadTagged& event, const EventContext&) {
    lead.tags.push_back(event.tag);
}

void update(Lead& lead, const LeadUntagged& event, const EventContext&) {
    std::erase(lead.tags, event.tag);
}

void update(Lead& lead, const ActivityLogged& event, const EventContext&) {
    count_activity(lead, event.kind, event.direction, event.occurred_at);
}

void update(Lead& lead, const ActivityScheduled& event, const EventContext&) {
    OpenActivity open;
    copy_same_fields(event, open);
    open.id = event.activity;
    lead.open_activities.push_back(std::move(open));
    put_in_order(lead);
}

void update(Lead& lead, const ActivityCompleted& event, const EventContext&) {
    count_activity(lead, event.kind, event.direction, event.occurred_at);
    close_activity(lead, event.activity);
}

void update(Lead& lead, const ActivityRescheduled& event, const EventContext&) {
    for (OpenActivity& open : lead.open_activities) {
        if (open.id == event.activity) open.due_at = event.due_at;
    }
    put_in_order(lead);
}

void update(Lead& lead, const ActivityCancelled& event, const EventContext&) {
    close_activity(lead, event.activity);
}

void update(Lead& lead, const LeadArchived& event, const EventContext&) {
    lead.archived_at = event.archived_at;
}

void update(Lead& lead, const LeadRestored&, const EventContext&) { lead.archived_at.reset(); }

}  // namespace bos::projections::leads
