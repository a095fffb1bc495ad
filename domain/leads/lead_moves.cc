#include "domain/leads/lead_moves.h"

#include "schemas/base/assert.h"

#include <algorithm>

namespace bos::leads {

const PipelineState& pipeline_in(const Facts& facts) {
    BOS_ASSERT(facts.pipeline != nullptr);
    return *facts.pipeline;
}

const LeadBook& book_in(const Facts& facts) {
    BOS_ASSERT(facts.book != nullptr);
    return *facts.book;
}

Checked<void> require_lead(const LeadState& lead) {
    if (!lead.exists()) return reject(Rejection::lead_not_found);
    return {};
}

Checked<void> require_active(const LeadState& lead) {
    BOS_CHECK(require_lead(lead));
    if (lead.archived) return reject(Rejection::lead_archived);
    return {};
}

const Stage& stage_of(const LeadState& lead, const Facts& facts) {
    const Stage* stage = pipeline_in(facts).find(lead.stage);
    BOS_ASSERT(stage != nullptr);
    return *stage;
}

StageMove move_to(const Stage& target, const LeadState& lead, const Facts& facts) {
    const Stage& from = stage_of(lead, facts);
    // A clock that was set back must not make a stay negative.
    const auto stay = std::max(facts.now - lead.stage_since, Timestamp::duration::zero());
    return StageMove{.pipeline = lead.pipeline,
                     .from = from.key,
                     .to = target.key,
                     .from_category = from.category,
                     .to_category = target.category,
                     .time_in_stage_us = stay.count(),
                     .at = facts.now};
}

}  // namespace bos::leads
