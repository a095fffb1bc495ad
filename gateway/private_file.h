#pragma once

#include "schemas/base/result.h"

#include <fmt/format.h>

#include <filesystem>

namespace bos::gateway {

/// A file with secrets is its owner's alone. Errors: denied = others may do something with it.
[[nodiscard]] inline Result<void> check_private(std::filesystem::perms permissions,
                                                const std::filesystem::path& path) {
    using std::filesystem::perms;
    if ((permissions & (perms::group_all | perms::others_all)) == perms::none) return {};
    return fail(Code::denied, fmt::format("{} is open to others: chmod 600", path.string()));
}

}  // namespace bos::gateway
