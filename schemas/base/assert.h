#pragma once

namespace bos {

/// Prints `expression`, the place and ends the process with abort(). Never returns.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace bos

/// For what would be our own bug; on in release too. Never on what a user or a disk can cause.
#define BOS_ASSERT(condition) \
    ((condition) ? static_cast<void>(0) : ::bos::assertion_failed(#condition, __FILE__, __LINE__))
