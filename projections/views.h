#pragma once

#include "projections/leads/activities_view.h"
#include "projections/leads/board_view.h"
#include "projections/leads/funnel_view.h"
#include "projections/leads/holds_view.h"
#include "projections/leads/leads_view.h"
#include "projections/leads/pipelines_view.h"
#include "schemas/base/types.h"

namespace bos::projections {

/// Every view of the product. Adding one is one line; its id is never used again for another.
using Views = types<leads::LeadsView, leads::PipelinesView, leads::FunnelView, leads::HoldsView,
                    leads::BoardView, leads::ActivitiesView>;

}  // namespace bos::projections
