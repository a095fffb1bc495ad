#include "domain/leads/lead_moves.h"
#include "domain/leads/lead_profile.h"
#include "domain/leads/leads.h"
#include "domain/leads/limits.h"
#include "domain/leads/rejecting.h"
#include "schemas/base/same_fields.h"

#include <fmt/format.h>

#include <algorithm>

namespace bos::leads {

namespace {

template <class T>
bool contains(const std::vector<T>& items, const T& item) {
    return std::ranges::find(items, item) != items.end();
}

/// Any move ends a hold.
LeadState moved(LeadState lead, const StageMove& move) {
    lead.stage = move.to;
    lead.stage_since = move.at;
    lead.held_from.reset();
    lead.held_until.reset();
    return lead;
}

}  // namespace

LeadState evolve(LeadState lead, const LeadCaptured& event) {
    lead.id = event.lead;
    lead.profile = event.profile;
    lead.pipeline = event.pipeline;
    lead.stage = event.stage;
    lead.stage_since = event.captured_at;
    lead.owner = event.owner;
    lead.created_by = event.captured_by;
    lead.collaborators = event.collaborators;
    lead.tags = event.tags;
    return lead;
}

LeadState evolve(LeadState lead, const LeadChanged& event) {
    apply_change(event.changes, lead.profile);
    return lead;
}

LeadState evolve(LeadState lead, const LeadAssigned& event) {
    lead.owner = event.owner;
    return lead;
}

LeadState evolve(LeadState lead, const CollaboratorAdded& event) {
    lead.collaborators.push_back(event.user);
    return lead;
}

LeadState evolve(LeadState lead, const CollaboratorRemoved& event) {
    std::erase(lead.collaborators, event.user);
    return lead;
}

LeadState evolve(LeadState lead, const LeadStageChanged& event) {
    return moved(std::move(lead), event.move);
}

LeadState evolve(LeadState lead, const LeadQualified& event) {
    return moved(std::move(lead), event.move);
}

LeadState evolve(LeadState lead, const LeadDisqualified& event) {
    return moved(std::move(lead), event.move);
}

LeadState evolve(LeadState lead, const LeadRecycled& event) {
    lead = moved(std::move(lead), event.move);
    lead.score = 0;
    lead.score_reasons.clear();
    lead.had_outbound_activity = false;
    return lead;
}

LeadState evolve(LeadState lead, const LeadHeld& event) {
    lead = moved(std::move(lead), event.move);
    lead.held_from = event.move.from;
    lead.held_until = event.held_until;
    lead.hold_generation = event.generation;
    return lead;
}

LeadState evolve(LeadState lead, const LeadHoldChanged& event) {
    lead.held_until = event.held_until;
    lead.hold_generation = event.generation;
    return lead;
}

LeadState evolve(LeadState lead, const LeadResumed& event) {
    return moved(std::move(lead), event.move);
}

LeadState evolve(LeadState lead, const LeadScored& event) {
    lead.score = event.score;
    lead.score_reasons = event.score_reasons;
    return lead;
}

LeadState evolve(LeadState lead, const LeadTagged& event) {
    lead.tags.push_back(event.tag);
    return lead;
}

LeadState evolve(LeadState lead, const LeadUntagged& event) {
    std::erase(lead.tags, event.tag);
    return lead;
}

Decision decide(const LeadState& lead, const ChangeLead& command, const Facts&) {
    BOS_CHECK(require_active(lead));
    const LeadProfileChange changes = effective(command.changes, lead.profile);
    if (changes == LeadProfileChange{}) return {};
    return {{LeadChanged{.lead = lead.id, .changes = changes}}};
}

Decision decide(const LeadState& lead, const AssignLead& command, const Facts&) {
    BOS_CHECK(require_active(lead));
    if (lead.owner == command.owner) return {};
    return {{LeadAssigned{.lead = lead.id, .owner = command.owner, .previous_owner = lead.owner}}};
}

Decision decide(const LeadState& lead, const AddCollaborator& command, const Facts&) {
    BOS_CHECK(require_active(lead));
    if (contains(lead.collaborators, command.user)) return {};
    if (lead.collaborators.size() >= limits::collaborators) {
        return reject(Rejection::too_many, "/user",
                      fmt::format("at most {} collaborators", limits::collaborators));
    }
    return {{CollaboratorAdded{.lead = lead.id, .user = command.user}}};
}

Decision decide(const LeadState& lead, const RemoveCollaborator& command, const Facts&) {
    BOS_CHECK(require_active(lead));
    if (!contains(lead.collaborators, command.user)) return {};
    return {{CollaboratorRemoved{.lead = lead.id, .user = command.user}}};
}

Decision decide(const LeadState& lead, const ScoreLead& command, const Facts&) {
    BOS_CHECK(require_active(lead));
    if (lead.score == command.score && lead.score_reasons == command.score_reasons) return {};
    return {{LeadScored{.lead = lead.id,
                        .score = command.score,
                        .previous_score = lead.score,
                        .score_reasons = command.score_reasons}}};
}

Decision decide(const LeadState& lead, const TagLead& command, const Facts&) {
    BOS_CHECK(require_active(lead));
    if (contains(lead.tags, command.tag)) return {};
    if (lead.tags.size() >= limits::tags) {
        return reject(Rejection::too_many, "/tag", fmt::format("at most {} tags", limits::tags));
    }
    return {{LeadTagged{.lead = lead.id, .tag = command.tag}}};
}

Decision decide(const LeadState& lead, const UntagLead& command, const Facts&) {
    BOS_CHECK(require_active(lead));
    if (!contains(lead.tags, command.tag)) return {};
    return {{LeadUntagged{.lead = lead.id, .tag = command.tag}}};
}

}  // namespace bos::leads
