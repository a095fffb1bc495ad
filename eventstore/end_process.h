#pragma once

#include <functional>
#include <string_view>

namespace bos::eventstore {

/// Prints `message` to standard error and ends the process at once, without destructors: after a
/// failed sync nothing in memory can be trusted to be on disk, and a second sync that succeeds
/// proves nothing.
[[noreturn]] void end_process(std::string_view message);

/// What to do when durability is lost: end_process, or in tests something that returns.
using Fatal = std::function<void(std::string_view message)>;

}  // namespace bos::eventstore
