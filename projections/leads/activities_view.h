#pragma once

#include "projections/list.h"
#include "projections/table.h"
#include "projections/view.h"
#include "schemas/leads.gen.h"

namespace bos::projections::leads {

/// The open activities of all leads in the order of their times, for everybody and for each person
/// whose they are. What they are about is in the rows of their leads (LeadsView).
///
///     table 0   activity -> DueEntry
///     table 1   index of ActivityList, see list_index.h
///     table 2   lead -> LeadActivities; every lead has one
struct ActivitiesView {
    static constexpr std::uint16_t id = 6;
    static constexpr std::string_view name = "leads.activities";
    static constexpr std::uint32_t version = 3;
    using Handles =
        types<bos::leads::LeadCaptured, bos::leads::LeadAssigned, bos::leads::CollaboratorAdded,
              bos::leads::CollaboratorRemoved, bos::leads::LeadArchived, bos::leads::LeadRestored,
              bos::leads::ActivityScheduled, bos::leads::ActivityCompleted,
              bos::leads::ActivityRescheduled, bos::leads::ActivityCancelled>;
    using Entries = Table<ActivitiesView, 0, bos::leads::ActivityId, bos::leads::DueEntry>;
    using Leads = Table<ActivitiesView, 2, bos::leads::LeadId, bos::leads::LeadActivities>;

    void apply(const bos::leads::LeadCaptured& event, const EventContext& context,
               ViewWriter& rows) const;
    void apply(const bos::leads::LeadAssigned& event, const EventContext& context,
               ViewWriter& rows) const;
    void apply(const bos::leads::CollaboratorAdded& event, const EventContext& context,
               ViewWriter& rows) const;
    void apply(const bos::leads::CollaboratorRemoved& event, const EventContext& context,
               ViewWriter& rows) const;
    void apply(const bos::leads::LeadArchived& event, const EventContext& context,
               ViewWriter& rows) const;
    void apply(const bos::leads::LeadRestored& event, const EventContext& context,
               ViewWriter& rows) const;
    void apply(const bos::leads::ActivityScheduled& event, const EventContext& context,
               ViewWriter& rows) const;
    void apply(const bos::leads::ActivityCompleted& event, const EventContext& context,
               ViewWriter& rows) const;
    void apply(const bos::leads::ActivityRescheduled& event, const EventContext& context,
               ViewWriter& rows) const;
    void apply(const bos::leads::ActivityCancelled& event, const EventContext& context,
               ViewWriter& rows) const;
};

/// Open activities, first due first: GET /v1/leads/activities. The owner and the collaborators of
/// the lead see them; to be the assignee is not enough.
struct ActivityList {
    using View = ActivitiesView;
    using Rows = ActivitiesView::Entries;
    static constexpr std::uint8_t index = 1;
    static constexpr std::string_view sorts[] = {"due_at"};
    static void append_sort_key(KeyWriter& key, const bos::leads::DueEntry& entry, std::size_t) {
        key.i64(micros(entry.due_at));
    }
    static bos::leads::ActivityId id_of(const bos::leads::DueEntry& entry) { return entry.id; }
    static RowScopes scopes_of(const bos::leads::DueEntry& entry) {
        return {entry.owner, entry.collaborators};
    }
    static std::string everybodys() { return KeyWriter().u8(0).take(); }
    static std::string of_user(const UserId& user) {
        return KeyWriter().u8(1).uuid(user.value()).take();
    }
    /// Those of archived leads are in no list.
    static std::vector<std::string> groups_of(const bos::leads::DueEntry& entry);
    /// What was open then on the leads that are the viewer's today: the entries of what was closed
    /// since are gone. Errors: those of ids_of_today.
    [[nodiscard]] static Result<std::vector<Uuid>> past_rows(const ViewReader& reader, Scope scope,
                                                             const UserId& viewer);
};

}  // namespace bos::projections::leads
