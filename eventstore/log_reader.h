#pragma once

#include "eventstore/event_log.h"

#include <memory>
#include <string>

namespace bos::eventstore {

/// The embedded log of a folder as it is now, for tools: takes no lock and writes nothing, so it
/// may be opened beside the process that writes. append() answers unavailable. Errors: unavailable
/// when there is no log, corrupt.
[[nodiscard]] Result<std::unique_ptr<EventLog>> open_log_for_reading(const std::string& path);

/// Compares the log of a folder with its mark, which witnesses how far it was acknowledged, beside
/// the process that writes. Errors: corrupt when the log ends before its mark or one of the two is
/// missing.
[[nodiscard]] Result<void> check_mark(const std::string& path);

}  // namespace bos::eventstore
