#pragma once

#include "schemas/leads.gen.h"

#include <vector>

namespace bos::leads {

/// What a tenant starts with: it can be changed like any other pipeline and reason.
[[nodiscard]] PipelineDefined default_pipeline_defined();
[[nodiscard]] std::vector<ReasonDefined> default_reasons_defined();

}  // namespace bos::leads
