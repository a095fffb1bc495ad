#pragma once

#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/router.h"

namespace bos::gateway {

/// /livez: the process answers. /readyz: it can take commands and its views are at the head.
/// /metrics: Prometheus. /openapi.json: the document. None needs a credential; none tells anything
/// about a tenant.
void add_health_routes(Router& router, Node& node, const Metrics& metrics);

}  // namespace bos::gateway
