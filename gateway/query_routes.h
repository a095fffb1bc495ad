#pragma once

#include "gateway/api.h"
#include "gateway/router.h"

namespace bos::gateway {

/// One route for each query of every module, from the schemas. Each takes as_of and min_position.
/// `api` outlives the router.
void add_query_routes(Router& router, const Api& api);

}  // namespace bos::gateway
