#pragma once

#include "projections/leads/queries.h"
#include "schemas/base/types.h"
#include "schemas/leads.gen.h"

namespace bos::gateway {

/// The queries of every module; each has an answer() beside its views.
using QueryLists = types<leads::Queries>;

}  // namespace bos::gateway
