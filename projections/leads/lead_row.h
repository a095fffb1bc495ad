#pragma once

#include "projections/view.h"
#include "schemas/leads.gen.h"

namespace bos::projections::leads {

using namespace bos::leads;  // NOLINT: the module's vocabulary in the module's views

/// How each event changes the row of its lead. `context` gives who and when.
void update(Lead& lead, const LeadCaptured& event, const EventContext& context);
void update(Lead& lead, const LeadChanged& event, const EventContext& context);
void update(Lead& lead, const LeadAssigned& event, const EventContext& context);
void update(Lead& lead, const CollaboratorAdded& event, const EventContext& context);
void update(Lead& lead, const CollaboratorRemoved& event, const EventContext& context);
void update(Lead& lead, const LeadStageChanged& event, const EventContext& context);
void update(Lead& lead, const LeadQualified& event, const EventContext& context);
void update(Lead& lead, const LeadDisqualified& event, const EventContext& context);
void update(Lead& lead, const LeadRecycled& event, const EventContext& context);
void update(Lead& lead, const LeadHeld& event, const EventContext& context);
void update(Lead& lead, const LeadHoldChanged& event, const EventContext& context);
void update(Lead& lead, const LeadResumed& event, const EventContext& context);
void update(Lead& lead, const LeadScored& event, const EventContext& context);
void update(Lead& lead, const LeadTagged& event, const EventContext& context);
void update(Lead& lead, const LeadUntagged& event, const EventContext& context);
void update(Lead& lead, const ActivityLogged& event, const EventContext& context);
void update(Lead& lead, const ActivityScheduled& event, const EventContext& context);
void update(Lead& lead, const ActivityCompleted& event, const EventContext& context);
void update(Lead& lead, const ActivityRescheduled& event, const EventContext& context);
void update(Lead& lead, const ActivityCancelled& event, const EventContext& context);
void update(Lead& lead, const LeadArchived& event, const EventContext& context);
void update(Lead& lead, const LeadRestored& event, const EventContext& context);

/// Those of them that change what is scheduled.
using ScheduleEvents =
    types<ActivityScheduled, ActivityCompleted, ActivityRescheduled, ActivityCancelled>;
/// The events above.
using LeadEvents =
    concat_types<types<LeadCaptured, LeadChanged, LeadAssigned, CollaboratorAdded,
                       CollaboratorRemoved, LeadStageChanged, LeadQualified, LeadDisqualified,
                       LeadRecycled, LeadHeld, LeadHoldChanged, LeadResumed, LeadScored, LeadTagged,
                       LeadUntagged, ActivityLogged, LeadArchived, LeadRestored>,
                 ScheduleEvents>;

}  // namespace bos::projections::leads
