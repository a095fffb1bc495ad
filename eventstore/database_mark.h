#pragma once

#include "schemas/base/position.h"
#include "schemas/base/result.h"

#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <cstdint>
#include <optional>
#include <string>

namespace bos::eventstore {

/// How far a RocksDB is known to have been durable, in a file MARK in its folder. RocksDB takes the
/// beginning of a cut MANIFEST or WAL for the whole and opens "OK" without the rest; the mark is
/// the witness against that. It does not tell that the whole folder is an older copy.
struct DatabaseMark {
    std::uint64_t manifest = 0;        ///< number of the MANIFEST file
    std::uint64_t manifest_bytes = 0;  ///< of it, synced
    Hash manifest_hash;                ///< SHA-256 of these bytes
    std::uint64_t sequence = 0;        ///< the newest write that is durable

    friend bool operator==(const DatabaseMark&, const DatabaseMark&) = default;
};

/// None: the folder has no mark, or is not there. Errors: corrupt when the mark is damaged.
[[nodiscard]] Result<std::optional<DatabaseMark>> read_mark(rocksdb::Env& env,
                                                            const std::string& folder);
/// Whole or as it was, whenever the power goes.
[[nodiscard]] Result<void> write_mark(rocksdb::Env& env, const std::string& folder,
                                      const DatabaseMark& mark);

/// Before the database is opened, for that makes a new MANIFEST. Errors: corrupt = there is less of
/// it than there was, or it is another.
[[nodiscard]] Result<void> check_manifest(rocksdb::Env& env, const std::string& folder,
                                          const DatabaseMark& mark);

/// The mark of a database as it is now, when its writes up to `sequence` are durable.
[[nodiscard]] Result<DatabaseMark> mark_of(rocksdb::DB& db, std::uint64_t sequence);

}  // namespace bos::eventstore
