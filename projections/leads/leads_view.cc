#include "projections/leads/leads_view.h"

#include "eventstore/sealed_fields.h"
#include "schemas/base/digest.h"

namespace bos::projections::leads {

namespace {

std::string lower(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), [](char c) {
        return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    });
    return result;
}

std::string entry_of(const std::string& digest, LeadId lead) {
    return KeyWriter().u8(2).raw(digest).uuid(lead.value()).take();
}

}  // namespace

std::string LeadsView::email_key(const Hash& digest) {
    return KeyWriter().u8(2).hash(digest).take();
}

Result<Hash> LeadsView::email_digest(const eventstore::FieldSealer& sealer, const TenantId& tenant,
                                     std::string_view email) {
    return sealer.digest(tenant, "email", lower(email));
}

void LeadsView::index_emails(LeadId lead,
                             const std::optional<Pii<std::vector<std::string>>>& emails,
                             const EventContext& context, ViewWriter& rows) {
    if (const auto former = Digests::get(rows, lead)) {
        for (const std::string& digest : former->digests)
            rows.erase(entry_of(from_hex(digest), lead));
        Digests::erase(rows, lead);
    }
    if (!emails) return;
    LeadProfile opened;
    opened.emails = emails;
    const StreamId stream{static_cast<std::uint16_t>(Aggregate::lead), lead.value()};
    if (auto done = eventstore::open_fields(opened, context.sealer, context.tenant, stream); !done)
        return rows.fail(done.error());
    // Erased: nobody can be found by them any more.
    if (opened.emails->plain() == nullptr) return;
    EmailDigests digests;
    for (const std::string& email : *opened.emails->plain()) {
        const auto digest = email_digest(context.sealer, context.tenant, email);
        if (!digest) return rows.fail(digest.error());
        digests.digests.push_back(to_hex(*digest));
        rows.put(entry_of(from_hex(digests.digests.back()), lead), {});
    }
    if (!digests.digests.empty()) Digests::put(rows, lead, digests);
}

void LeadsView::apply(const StageRetired& event, const EventContext& context,
                      ViewWriter& rows) const {
    std::vector<Lead> moved;
    rows.scan_prefix(KeyWriter().u8(Leads::table).bytes(),
                     [&](std::string_view, std::string_view bytes) {
                         auto lead = decode<Lead>(bytes);
                         if (!lead) {
                             rows.fail(lead.error());
                             return false;
                         }
                         if (lead->pipeline == event.pipeline && lead->stage == event.stage)
                             moved.push_back(*std::move(lead));
                         return true;
                     });
    for (Lead& lead : moved) {
        lead.stage = event.remap_to;
        lead.updated_at = context.recorded_at;
        ListIndex<LeadList>::put(rows, lead);
    }
}

void LeadList::append_sort_key(KeyWriter& key, const Lead& lead, std::size_t sort) {
    switch (sort) {
        case 0:
            key.u64(lead.lead_number);
            break;  // given out in the order of capture
        case 1:
            key.i64(micros(lead.updated_at));
            break;
        default:
            key.i64(lead.profile.expected_value ? lead.profile.expected_value->minor : INT64_MIN);
            break;
    }
}

}  // namespace bos::projections::leads
