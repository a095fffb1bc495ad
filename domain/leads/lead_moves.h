#pragma once

#include "domain/leads/leads.h"
#include "domain/leads/rejecting.h"

namespace bos::leads {

/// The pipeline that the facts carry; the shard gives it with every command on a lead.
[[nodiscard]] const PipelineState& pipeline_in(const Facts& facts);
[[nodiscard]] const LeadBook& book_in(const Facts& facts);

[[nodiscard]] Checked<void> require_lead(const LeadState& lead);
/// Refuses an archived lead too: until it is restored, it takes nothing but notes.
[[nodiscard]] Checked<void> require_active(const LeadState& lead);

/// The stage that the lead stands in today, remaps followed.
[[nodiscard]] const Stage& stage_of(const LeadState& lead, const Facts& facts);

/// A move of the lead, now.
[[nodiscard]] StageMove move_to(const Stage& target, const LeadState& lead, const Facts& facts);

}  // namespace bos::leads
