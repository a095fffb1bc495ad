#pragma once

#include "schemas/base/uuid.h"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace bos {

/// Who may see what, widest last (domain.md 2.5 has more steps; they come with the roles module).
enum class Scope : std::uint8_t { own, assigned, all };

enum class ActorKind : std::uint8_t { user, service, workflow, system };

inline constexpr std::array<std::string_view, 3> names_of_Scope{{"own", "assigned", "all"}};
constexpr std::span<const std::string_view> enum_names(Scope) { return names_of_Scope; }
inline constexpr std::array<std::string_view, 4> names_of_ActorKind{
    {"user", "service", "workflow", "system"}};
constexpr std::span<const std::string_view> enum_names(ActorKind) { return names_of_ActorKind; }

/// Who acts. `id` is a pseudonym; names are not in the log.
struct Actor {
    ActorKind kind = ActorKind::user;
    UserId id;

    friend bool operator==(const Actor&, const Actor&) = default;
};

}  // namespace bos
