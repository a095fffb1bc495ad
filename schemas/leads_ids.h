#pragma once

#include "schemas/leads.gen.h"

namespace bos::leads {

/// The pipeline that a lead comes into when none is named, the same id in every tenant; the first lead of a tenant
/// defines it. A UUIDv7 of the epoch: no id that is made from a clock is equal to it.
[[nodiscard]] inline PipelineId default_pipeline() {
    static const PipelineId id(*parse_uuid("00000000-0000-7000-8000-000000000001"));
    return id;
}

}  // namespace bos::leads
