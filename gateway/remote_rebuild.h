#pragma once

#include "schemas/base/result.h"

#include <cstdint>
#include <functional>
#include <string>

namespace bos::gateway {

/// A node that serves plain HTTP, and an API key that may manage its tenant's views.
struct RemoteNode {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;
    std::string api_key;
};

/// Starts a rebuild of the key's tenant on a node that serves, and waits for its end. `progress` is
/// told how far it is. Errors: unavailable, and what the node answers.
[[nodiscard]] Result<void> rebuild_remotely(
    const RemoteNode& node,
    const std::function<void(std::uint64_t done, std::uint64_t all)>& progress);

}  // namespace bos::gateway
