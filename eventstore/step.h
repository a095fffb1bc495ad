#pragma once

#include <functional>

namespace bos::eventstore {

/// A piece of a log's own work.
using Step = std::move_only_function<void()>;

/// Takes a log's steps, to run them later, one at a time and in any order, never inside the call: a
/// simulation decides when what happens. None = the log runs them itself.
using Post = std::function<void(Step)>;

}  // namespace bos::eventstore
