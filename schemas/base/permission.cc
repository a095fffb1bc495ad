#include "schemas/base/permission.h"

namespace bos {

namespace {

bool matches(std::string_view grant, std::string_view permission) {
    while (true) {
        const std::size_t grant_end = grant.find(':');
        const std::size_t permission_end = permission.find(':');
        const std::string_view segment = grant.substr(0, grant_end);
        if (segment != "*" && segment != permission.substr(0, permission_end)) return false;
        if (grant_end == std::string_view::npos || permission_end == std::string_view::npos) {
            return grant_end == permission_end;
        }
        grant.remove_prefix(grant_end + 1);
        permission.remove_prefix(permission_end + 1);
    }
}

}  // namespace

const std::string* find_grant(const Grants& grants, std::string_view permission) {
    for (const std::string& grant : grants.permissions) {
        if (matches(grant, permission)) return &grant;
    }
    return nullptr;
}

}  // namespace bos
