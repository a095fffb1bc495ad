#include "domain/leads/lead_moves.h"
#include "domain/leads/leads.h"
#include "domain/leads/rejecting.h"

namespace bos::leads {

// Nothing else changes with the archive, so that a restored lead is what it was: stage, hold and
// what is scheduled.

LeadState evolve(LeadState lead, const LeadArchived&) {
    lead.archived = true;
    return lead;
}

LeadState evolve(LeadState lead, const LeadRestored&) {
    lead.archived = false;
    return lead;
}

Decision decide(const LeadState& lead, const ArchiveLead&, const Facts& facts) {
    BOS_CHECK(require_lead(lead));
    if (lead.archived) return {};
    return {{LeadArchived{.lead = lead.id, .archived_at = facts.now}}};
}

Decision decide(const LeadState& lead, const RestoreLead&, const Facts&) {
    BOS_CHECK(require_lead(lead));
    if (!lead.archived) return {};
    return {{LeadRestored{.lead = lead.id}}};
}

}  // namespace bos::leads
