#pragma once

#include "schemas/base/actor.h"

#include <string>
#include <string_view>
#include <vector>

namespace bos {

/// What a caller may do, and on whose records. A permission is resource:entity:action; in a grant a
/// segment may be * (the whole segment only).
struct Grants {
    std::vector<std::string> permissions;
    Scope scope = Scope::own;
};

/// The grant that allows `permission`, or null. Grants come in no order of importance: the first
/// match answers.
[[nodiscard]] const std::string* find_grant(const Grants& grants, std::string_view permission);

}  // namespace bos
