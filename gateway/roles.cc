#include "gateway/roles.h"

#include <array>

namespace bos::gateway {

namespace {

using std::string_view_literals::operator""sv;

constexpr std::array admin{"*:*:*"sv};
constexpr std::array manager{"leads:*:*"sv};
constexpr std::array agent{"leads:lead:read"sv, "leads:lead:create"sv, "leads:lead:update"sv};
constexpr std::array viewer{"*:*:read"sv};

constexpr std::array roles{
    Role{"admin", admin, Scope::all},
    Role{"manager", manager, Scope::all},
    Role{"agent", agent, Scope::assigned},
    Role{"viewer", viewer, Scope::all},
};

}  // namespace

std::span<const Role> all_roles() { return roles; }

std::optional<Grants> grants_of_role(std::string_view name) {
    for (const Role& role : roles) {
        if (role.name != name) continue;
        return Grants{{role.permissions.begin(), role.permissions.end()}, role.scope};
    }
    return std::nullopt;
}

}  // namespace bos::gateway
