#pragma once

#include "eventstore/log_database.h"
#include "eventstore/record_tail.h"

#include <cstddef>
#include <optional>

namespace bos::eventstore {

/// Writes a portion of a replica's records after all that the tables have, with its ends, all or
/// none: from `file_bytes` on as a file that RocksDB takes in, below as a batch that is not synced.
/// Errors: full = nothing changed, or the records are there all the same.
[[nodiscard]] Result<void> write_portion(const LogDatabase& database, const RecordPortion& portion,
                                         std::size_t file_bytes);

/// Where the tenant's record at `position` stands in its topic, if it is the tenant's last one in
/// the tables. None: they do not say.
[[nodiscard]] Result<std::optional<Offset>> origin_of(const LogDatabase& database,
                                                      const TenantId& tenant, Position position);

/// A row of the notes.
[[nodiscard]] Result<std::optional<std::string>> note_of(const LogDatabase& database,
                                                         const std::string& key);

}  // namespace bos::eventstore
