#pragma once

#include "gateway/cluster.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/router.h"

namespace bos::gateway {

/// /livez: the process answers. /readyz: it can take commands and its views are at the head.
/// In a cluster it tells how many shards are this node's. `cluster` may be null.
/// /metrics: Prometheus. /openapi.json: the document. None needs a credential; none tells anything
/// about a tenant.
void add_health_routes(Router& router, Node& node, const Cluster* cluster, const Metrics& metrics);

}  // namespace bos::gateway
