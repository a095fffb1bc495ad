#pragma once

#include "gateway/api.h"
#include "gateway/router.h"

namespace bos::gateway {

/// One route for each command of every module, from the schemas. `api` outlives the router.
void add_command_routes(Router& router, const Api& api);

}  // namespace bos::gateway
