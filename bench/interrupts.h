#pragma once

#include <filesystem>

namespace bos::bench {

/// From now on SIGINT, SIGTERM and SIGHUP remove `folder` and end the process; its children die
/// with it. Before any other thread is started.
void remove_when_interrupted(const std::filesystem::path& folder);

}  // namespace bos::bench
