#pragma once

#include "projections/leads/lead_row.h"
#include "projections/list.h"
#include "projections/table.h"
#include "projections/view.h"

#include <algorithm>

namespace bos::projections::leads {

/// Every lead as it stands, in the orders in which lists ask for them, and by the digests of its
/// e-mail addresses.
///
///     table 0   lead -> Lead
///     table 1   index of LeadList, archived leads apart from the others, see list_index.h
///     table 2   32 bytes digest of an address in lower case | lead -> nothing
///     table 3   lead -> EmailDigests, to take the former ones out; no past
struct LeadsView {
    static constexpr std::uint16_t id = 1;
    static constexpr std::string_view name = "leads.leads";
    static constexpr std::uint32_t version = 5;
    using Handles = concat_types<LeadEvents, types<StageRetired>>;
    using Leads = Table<LeadsView, 0, LeadId, Lead>;
    using Digests = Table<LeadsView, 3, LeadId, EmailDigests, Past::none>;

    template <class Event>
        requires requires(Lead& lead, const Event& event, const EventContext& context) {
            update(lead, event, context);
        }
    void apply(const Event& event, const EventContext& context, ViewWriter& rows) const;
    /// Moves the leads of the stage along.
    void apply(const StageRetired& event, const EventContext& context, ViewWriter& rows) const;

    /// The key under which leads with this address stand.
    [[nodiscard]] static std::string email_key(const Hash& digest);
    /// Digest of an address, upper and lower case being the same.
    [[nodiscard]] static Result<Hash> email_digest(const eventstore::FieldSealer& sealer,
                                                   const TenantId& tenant, std::string_view email);

  private:
    static void index_emails(LeadId lead,
                             const std::optional<Pii<std::vector<std::string>>>& emails,
                             const EventContext& context, ViewWriter& rows);
};

/// The lists of leads: GET /v1/leads.
struct LeadList {
    using View = LeadsView;
    using Rows = LeadsView::Leads;
    static constexpr std::uint8_t index = 1;
    static constexpr std::string_view sorts[] = {"created_at", "updated_at", "expected_value"};
    static void append_sort_key(KeyWriter& key, const Lead& lead, std::size_t sort);
    static std::string group(bool archived) { return KeyWriter().u8(archived ? 1 : 0).take(); }
    static std::vector<std::string> groups_of(const Lead& lead) {
        return {group(lead.archived_at.has_value())};
    }
    static LeadId id_of(const Lead& lead) { return lead.id; }
    static RowScopes scopes_of(const Lead& lead) { return {lead.owner, lead.collaborators}; }
};

template <class Event>
    requires requires(Lead& lead, const Event& event, const EventContext& context) {
        update(lead, event, context);
    }
void LeadsView::apply(const Event& event, const EventContext& context, ViewWriter& rows) const {
    std::optional<Lead> stored = Leads::get(rows, event.lead);
    ListIndex<LeadList>::Entries before;
    if (stored) before = ListIndex<LeadList>::entries_of(*stored);
    Lead lead = stored ? *std::move(stored) : Lead{};
    update(lead, event, context);
    lead.version = context.version.value;
    lead.updated_at = context.recorded_at;
    ListIndex<LeadList>::replace(rows, before, lead);
    if constexpr (std::is_same_v<Event, LeadCaptured>) {
        if (lead.profile.emails) index_emails(lead.id, lead.profile.emails, context, rows);
    }
    if constexpr (std::is_same_v<Event, LeadChanged>) {
        if (!event.changes.emails.unchanged())
            index_emails(lead.id, lead.profile.emails, context, rows);
    }
}

}  // namespace bos::projections::leads
