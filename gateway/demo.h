#pragma once

#include "gateway/node.h"
#include "schemas/base/result.h"

#include <string>

namespace bos::gateway {

/// What a person needs to try the demo tenant.
struct Demo {
    std::string tenant = "demo";
    std::string admin_key;
    std::string agent_key;
};

/// On the first call for a data folder: makes the tenant `demo`, its users' keys, and three months
/// of lifelike leads, through the same commands that users send. Later calls read the keys from
/// <data>/demo-keys. The folder must not be open.
[[nodiscard]] Result<Demo> open_demo(const NodeOptions& options);

}  // namespace bos::gateway
