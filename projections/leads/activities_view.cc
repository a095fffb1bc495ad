#include "projections/leads/activities_view.h"

#include "projections/leads/leads_view.h"
#include "schemas/base/same_fields.h"

#include <concepts>

namespace bos::projections::leads {

using namespace bos::leads;  // NOLINT: the module's vocabulary in the module's views

namespace {

using Index = ListIndex<ActivityList>;

/// Changes who sees the activities of a lead, or whether somebody does.
template <std::invocable<LeadActivities&> Change>
void change_lead(LeadId id, ViewWriter& rows, Change&& change) {
    std::optional<LeadActivities> lead = ActivitiesView::Leads::get(rows, id);
    if (!lead) return rows.fail({Code::corrupt, "a lead changed that was not captured"});
    change(*lead);
    ActivitiesView::Leads::put(rows, id, *lead);
    for (const ActivityId& activity : lead->activities)
        Index::update(rows, activity, [&](DueEntry& entry) { copy_same_fields(*lead, entry); });
}

void close_activity(LeadId id, ActivityId activity, ViewWriter& rows) {
    ActivitiesView::Leads::update(
        rows, id, [&](LeadActivities& lead) { std::erase(lead.activities, activity); });
    Index::erase(rows, activity);
}

}  // namespace

void ActivitiesView::apply(const LeadCaptured& event, const EventContext&, ViewWriter& rows) const {
    LeadActivities lead;
    copy_same_fields(event, lead);
    Leads::put(rows, event.lead, lead);
}

void ActivitiesView::apply(const LeadAssigned& event, const EventContext&, ViewWriter& rows) const {
    change_lead(event.lead, rows, [&](LeadActivities& lead) { lead.owner = event.owner; });
}

void ActivitiesView::apply(const CollaboratorAdded& event, const EventContext&,
                           ViewWriter& rows) const {
    change_lead(event.lead, rows,
                [&](LeadActivities& lead) { lead.collaborators.push_back(event.user); });
}

void ActivitiesView::apply(const CollaboratorRemoved& event, const EventContext&,
                           ViewWriter& rows) const {
    change_lead(event.lead, rows,
                [&](LeadActivities& lead) { std::erase(lead.collaborators, event.user); });
}

void ActivitiesView::apply(const LeadArchived& event, const EventContext&, ViewWriter& rows) const {
    change_lead(event.lead, rows, [](LeadActivities& lead) { lead.archived = true; });
}

void ActivitiesView::apply(const LeadRestored& event, const EventContext&, ViewWriter& rows) const {
    change_lead(event.lead, rows, [](LeadActivities& lead) { lead.archived = false; });
}

void ActivitiesView::apply(const ActivityScheduled& event, const EventContext&,
                           ViewWriter& rows) const {
    std::optional<LeadActivities> lead = Leads::get(rows, event.lead);
    if (!lead) return rows.fail({Code::corrupt, "a lead has a plan that was not captured"});
    lead->activities.push_back(event.activity);
    Leads::put(rows, event.lead, *lead);
    DueEntry entry;
    copy_same_fields(event, entry);
    copy_same_fields(*lead, entry);
    entry.id = event.activity;
    Index::put(rows, entry);
}

void ActivitiesView::apply(const ActivityCompleted& event, const EventContext&,
                           ViewWriter& rows) const {
    close_activity(event.lead, event.activity, rows);
}

void ActivitiesView::apply(const ActivityRescheduled& event, const EventContext&,
                           ViewWriter& rows) const {
    Index::update(rows, event.activity, [&](DueEntry& entry) { entry.due_at = event.due_at; });
}

void ActivitiesView::apply(const ActivityCancelled& event, const EventContext&,
                           ViewWriter& rows) const {
    close_activity(event.lead, event.activity, rows);
}

std::vector<std::string> ActivityList::groups_of(const DueEntry& entry) {
    if (entry.archived) return {KeyWriter().u8(2).take()};
    std::vector<std::string> groups{everybodys()};
    const auto& whose = entry.assignee ? entry.assignee : entry.owner;
    if (whose) groups.push_back(of_user(*whose));
    return groups;
}

Result<std::vector<Uuid>> ActivityList::past_rows(const ViewReader& reader, Scope scope,
                                                  const UserId& viewer) {
    BOS_TRY(const std::vector<Uuid> leads,
            ids_of_today(reader, LeadsView::id, LeadList::index, scope, viewer));
    std::vector<Uuid> activities;
    for (const Uuid& id : leads) {
        BOS_TRY(const auto lead, ActivitiesView::Leads::get(reader, LeadId(id)));
        if (!lead) continue;
        for (const ActivityId& activity : lead->activities) activities.push_back(activity.value());
    }
    return activities;
}

}  // namespace bos::projections::leads
