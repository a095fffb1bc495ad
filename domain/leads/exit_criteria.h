#pragma once

#include "domain/leads/leads.h"
#include "domain/leads/rejecting.h"

namespace bos::leads {

/// What keeps `lead` from leaving `stage` forward, in words; none = it may.
[[nodiscard]] std::optional<std::string> unmet_criterion(const Stage& stage, const LeadState& lead);

/// What keeps `lead` from going from one stage to a later one: the criteria of the stage that it
/// leaves and of every stage that it skips, as far as leads work their way through them (open,
/// ongoing). Going back is free.
[[nodiscard]] std::optional<std::string> unmet_on_the_way(const PipelineState& pipeline,
                                                          const Stage& from, const Stage& to,
                                                          const LeadState& lead);

/// Refuses criteria that no lead can meet since they name a field that leads do not have.
[[nodiscard]] Checked<void> require_known_fields(const Stage& stage, const std::string& pointer);

}  // namespace bos::leads
