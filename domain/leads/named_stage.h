#pragma once

#include "domain/leads/leads.h"
#include "domain/leads/rejecting.h"

#include <string>
#include <string_view>

namespace bos::leads {

/// The stage that a command names: it must be in use. Commands name stages as they are today;
/// remaps are followed for what was recorded before (PipelineState::find), never for what somebody
/// asks for now.
[[nodiscard]] Checked<const Stage*> named_stage(const PipelineState& pipeline, std::string_view key,
                                                const std::string& pointer);

}  // namespace bos::leads
