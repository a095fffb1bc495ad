// What is to be done: the open activities of the leads that a viewer sees.
#include "projections/leads/activities_view.h"
#include "projections/leads/leads_view.h"
#include "projections/leads/queries.h"
#include "projections/leads/visible.h"
#include "schemas/base/same_fields.h"

namespace bos::projections {

using bos::leads::ActivityPage;
using bos::leads::DueActivity;
using bos::leads::DueEntry;
using bos::leads::Lead;
using bos::leads::ListActivities;
using bos::leads::OpenActivity;

namespace {

/// The range of the index in which the activities of an assignee stand.
Result<std::string> group_of(const std::optional<std::string>& assignee, const Viewer& viewer) {
    if (!assignee) return leads::ActivityList::everybodys();
    if (*assignee == "me") return leads::ActivityList::of_user(viewer.user);
    const std::optional<Uuid> user = parse_uuid(*assignee);
    if (!user) return fail(Code::invalid, "assignee must be me or the id of a user.");
    return leads::ActivityList::of_user(UserId(*user));
}

/// The entry with what its lead tells, at the same position; opened.
Result<DueActivity> shown(const DueEntry& entry, const QueryContext& context) {
    BOS_TRY(const std::optional<Lead> lead,
            leads::LeadsView::Leads::get(context.reader, entry.lead));
    if (!lead) return fail(Code::corrupt, "an open activity without its lead");
    const auto open = std::ranges::find(lead->open_activities, entry.id, &OpenActivity::id);
    if (open == lead->open_activities.end())
        return fail(Code::corrupt, "an open activity that its lead does not know");
    DueActivity activity;
    copy_same_fields(*lead, activity);
    copy_same_fields(lead->profile, activity);
    copy_same_fields(*open, activity);
    activity.lead = lead->id;
    BOS_CHECK(eventstore::open_fields(activity, context.sealer, context.tenant(),
                                      leads::stream_of(lead->id)));
    return activity;
}

}  // namespace

Result<ActivityPage> answer(const ListActivities& query, const QueryContext& context) {
    BOS_TRY(std::string group, group_of(query.assignee, context.viewer));
    const ListContext list_context{
        .cursor_secret = context.secret, .now = context.now, .open = nullptr};
    ListQuery list_query{.scope = context.viewer.scope,
                         .viewer = context.viewer.user,
                         .sort = "due_at",
                         .limit = query.limit.value_or(50),
                         .cursor = query.cursor.value_or(""),
                         .as_of = context.as_of,
                         .count = query.count.value_or(false),
                         .group = std::move(group)};
    if (query.due_before) list_query.before = KeyWriter().i64(micros(*query.due_before)).take();
    BOS_TRY(auto list, List<leads::ActivityList>::page(context.reader, list_query, list_context));
    ActivityPage page{.items = {}, .next = std::move(list.next), .position = list.position.value};
    for (const DueEntry& entry : list.rows) {
        BOS_TRY(DueActivity activity, shown(entry, context));
        page.items.push_back(std::move(activity));
    }
    if (list.count) {
        page.count = list.count->value;
        page.count_capped = list.count->capped;
    }
    return page;
}

}  // namespace bos::projections
