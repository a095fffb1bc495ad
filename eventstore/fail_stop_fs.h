#pragma once

#include "eventstore/end_process.h"

#include <rocksdb/env.h>

#include <memory>
#include <string_view>

namespace bos::eventstore {

/// Of the names of files that are made to be ingested (sorted_file.h).
inline constexpr std::string_view bulk_suffix = ".bulk";

/// An Env like `env`, with four differences. A sync that fails, of a file or of a folder, calls
/// `fatal`. RocksDB and the kernel both go on after a failed fsync (the kernel even marks the lost
/// pages clean), so the failure is caught where it happens and not where its status ends up.
///
/// Since no sync failure gets past it, whatever RocksDB reports as "no space" above it was a failed
/// write, which leaves at most a torn record.
///
/// A read that fails of a file that is being ingested calls `fatal`, too (watched_reads.h). A
/// write-ahead log is begun when those before it are durable (ordered_wals.h).
///
/// And CURRENT is renamed only when the names beside it are durable: RocksDB lets it name a
/// manifest whose own name no sync has made durable, so that a power loss could leave it naming
/// nothing.
[[nodiscard]] std::unique_ptr<rocksdb::Env> fail_stop_env(rocksdb::Env& env, Fatal fatal);

}  // namespace bos::eventstore
