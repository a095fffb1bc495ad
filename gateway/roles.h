#pragma once

#include "schemas/base/permission.h"

#include <optional>
#include <span>
#include <string_view>

namespace bos::gateway {

/// What a role of the built-in table may do. The roles module replaces the table by roles that a
/// tenant defines; a credential keeps naming its role.
///
///     admin    everything                                               all
///     manager  leads with their pipelines and reasons                   all
///     agent    reads, creates and changes leads; does not reassign or   assigned
///              archive them
///     viewer   reads                                                    all
struct Role {
    std::string_view name;
    std::span<const std::string_view> permissions;
    Scope scope;
};

[[nodiscard]] std::span<const Role> all_roles();

/// Empty for a name that no role has.
[[nodiscard]] std::optional<Grants> grants_of_role(std::string_view name);

}  // namespace bos::gateway
