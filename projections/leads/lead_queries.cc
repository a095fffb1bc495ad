// One lead, and lists of leads.
#include "projections/leads/leads_view.h"
#include "projections/leads/queries.h"
#include "projections/leads/visible.h"

namespace bos::projections {

using bos::leads::GetLead;
using bos::leads::Lead;
using bos::leads::LeadId;
using bos::leads::LeadPage;
using bos::leads::ListLeads;

namespace {

/// Leads with this address, newest first, archived ones too: who asks wants to know whether the
/// person is known. There are few, so there is no next page.
Result<LeadPage> find_by_email(const std::string& email, const QueryContext& context) {
    LeadPage page{.position = context.reader.position().value};
    BOS_TRY(const Hash digest,
            leads::LeadsView::email_digest(context.sealer, context.tenant(), email));
    std::vector<LeadId> found;
    BOS_CHECK(context.reader.scan_prefix(leads::LeadsView::id, leads::LeadsView::email_key(digest),
                                         [&](std::string_view key, std::string_view) {
                                             found.push_back(LeadId(id_of_entry(key)));
                                             return found.size() < 10'000;
                                         }));
    for (const LeadId id : found) {
        if (page.items.size() == 200) break;
        auto lead = leads::visible_lead(id, context);
        if (!lead && lead.error().code == Code::not_found) continue;
        if (!lead) return std::unexpected(std::move(lead).error());
        BOS_CHECK(leads::open_row(*lead, context));
        // Erased: nobody is found by an address that is no more.
        if (!lead->profile.emails || lead->profile.emails->erased()) continue;
        page.items.push_back(*std::move(lead));
    }
    std::ranges::sort(page.items, std::ranges::greater{}, &Lead::lead_number);
    return page;
}

/// In the order of their last change, leads as they were lie before the time of the position asked
/// for, since recorded_at never decreases along a log: what came later needs no look.
Result<std::string> before_later_changes(std::string_view sort, const QueryContext& context) {
    if (!context.as_of || context.as_of->value == 0 || sort != "updated_at") return std::string();
    BOS_TRY(const std::string record, context.log.read(context.tenant(), *context.as_of));
    BOS_TRY(const eventstore::Link link, eventstore::link_of(record));
    return KeyWriter().i64(micros(link.recorded_at) + 1).take();
}

}  // namespace

Result<Lead> leads::visible_lead(const LeadId& id, const QueryContext& context) {
    using Leads = LeadsView::Leads;
    BOS_TRY(auto lead, Leads::get(context.reader, id));
    std::optional<Lead> decides = lead;
    if (lead && context.todays_rows()) {
        BOS_TRY(const ViewReader today, context.reader.today());
        BOS_TRY(decides, Leads::get(today, id));
    }
    if (!decides || !visible(*decides, context.viewer))
        return fail(Code::not_found, "No lead has this id.");
    return *std::move(lead);
}

Result<Lead> answer(const GetLead& query, const QueryContext& context) {
    BOS_TRY(Lead lead, leads::visible_lead(query.lead, context));
    BOS_CHECK(leads::open_row(lead, context));
    return lead;
}

Result<LeadPage> answer(const ListLeads& query, const QueryContext& context) {
    if (query.email) {
        if (query.filter || query.sort || query.cursor || query.archived)
            return fail(Code::invalid,
                        "email stands alone: no filter, sort, cursor or archived beside it.");
        return find_by_email(*query.email, context);
    }
    std::string sort = query.sort.value_or("-created_at");
    const bool descending = sort.starts_with('-');
    if (descending) sort.erase(0, 1);
    if (sort.empty()) return fail(Code::invalid, "sort must name a field.");
    BOS_TRY(std::string before, before_later_changes(sort, context));
    const leads::OpenLeadFields open(context);
    const ListContext list_context{
        .cursor_secret = context.secret, .now = context.now, .open = &open};
    const ListQuery list_query{.scope = context.viewer.scope,
                               .viewer = context.viewer.user,
                               .sort = sort,
                               .descending = descending,
                               .filter = query.filter.value_or(""),
                               .limit = query.limit.value_or(50),
                               .cursor = query.cursor.value_or(""),
                               .as_of = context.as_of,
                               .count = query.count.value_or(false),
                               .group = leads::LeadList::group(query.archived.value_or(false)),
                               .before = std::move(before)};
    BOS_TRY(auto list, List<leads::LeadList>::page(context.reader, list_query, list_context));
    LeadPage page{.items = std::move(list.rows),
                  .next = std::move(list.next),
                  .position = list.position.value};
    for (Lead& lead : page.items) BOS_CHECK(leads::open_row(lead, context));
    if (list.count) {
        page.count = list.count->value;
        page.count_capped = list.count->capped;
    }
    return page;
}

}  // namespace bos::projections
