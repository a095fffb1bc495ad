#pragma once

#include "schemas/base/result.h"

#include <rocksdb/env.h>

#include <string>
#include <string_view>

namespace bos::eventstore {

/// Makes the names in the folder of `path` durable: a synced file whose name is not may be gone.
[[nodiscard]] Result<void> sync_parent_folder(rocksdb::Env& env, const std::string& path);

/// The file holds all of `content`, or what it held before, whenever the power goes.
[[nodiscard]] Result<void> replace_file(rocksdb::Env& env, const std::string& path,
                                        std::string_view content);

}  // namespace bos::eventstore
