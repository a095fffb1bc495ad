#pragma once

#include "gateway/api.h"
#include "gateway/rebuilds.h"
#include "gateway/router.h"

namespace bos::gateway {

/// GET /v1/views: the caller's tenant's views and how far they are. POST /v1/views/rebuild: builds
/// them anew beside those that are read. Both need views:view:manage. All outlive the router.
void add_view_routes(Router& router, const Api& api, Node& node, Rebuilds& rebuilds);

}  // namespace bos::gateway
