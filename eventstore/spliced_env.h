#pragma once

#include <rocksdb/env.h>

#include <memory>

namespace bos::eventstore {

/// An Env with `files`, and the threads and the clock of `env`, which outlives it. RocksDB's own
/// NewCompositeEnv always takes the machine's.
[[nodiscard]] std::unique_ptr<rocksdb::Env> spliced_env(
    rocksdb::Env& env, const std::shared_ptr<rocksdb::FileSystem>& files);

}  // namespace bos::eventstore
