#pragma once

#include <rocksdb/file_system.h>

#include <memory>

namespace bos::eventstore {

/// A file system like `target`, for a database that does not sync each write: a write-ahead log is
/// begun when those before it are durable. A power loss may take any of what was not synced, and
/// RocksDB 7.8 replays the logs that it finds: of two of them the older one could be gone, or end
/// early between two records, and the newer one be there. What was replayed then would have a gap.
[[nodiscard]] std::shared_ptr<rocksdb::FileSystem> ordered_wals(
    const std::shared_ptr<rocksdb::FileSystem>& target);

}  // namespace bos::eventstore
