#pragma once

#include "eventstore/event_log.h"
#include "gateway/control_socket.h"
#include "gateway/open_log.h"

#include <cstdint>
#include <filesystem>

namespace bos::gateway {

/// Copies what every tenant has in `from` and has not in `to`, and compares the heads: equal hashes
/// are equal records, all of them. Returns how many records were copied. Errors: those of
/// copy_tenant.
[[nodiscard]] Result<std::uint64_t> copy_all(const eventstore::EventLog& from,
                                             eventstore::EventLog& to, const Tell& tell);

/// Renames a file or folder; what is not there is fine. Errors: unavailable.
[[nodiscard]] Result<void> move_away(const std::filesystem::path& from,
                                     const std::filesystem::path& to);

/// What an earlier promotion put aside is gone, so that this one can do the same. Errors: conflict.
[[nodiscard]] Result<void> check_room_aside(const std::filesystem::path& data);
/// The folder is one whose log is on Kafka from now on. The embedded log is kept beside, under
/// another name, until somebody deletes it. Errors: unavailable.
[[nodiscard]] Result<void> put_embedded_log_aside(const std::filesystem::path& data);
/// And back.
[[nodiscard]] Result<void> put_embedded_log_back(const std::filesystem::path& data);

}  // namespace bos::gateway
