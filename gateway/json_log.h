#pragma once

namespace bos::gateway {

/// From now on log lines are JSON objects on standard error: time, level, thread, message. Answers
/// of commands go to standard output and stay apart.
void log_as_json();

}  // namespace bos::gateway
