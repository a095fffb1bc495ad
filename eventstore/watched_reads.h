#pragma once

#include "eventstore/end_process.h"

#include <rocksdb/file_system.h>

#include <memory>
#include <string>

namespace bos::eventstore {

/// A file system like `target`, but a read that fails of a file whose name ends with `suffix` calls
/// `fatal`. For files that are made to be ingested, under the name that they have until then:
/// RocksDB 7.8 takes one whose first or last block it cannot read for one without keys, and puts it
/// where they are not found, and where it gets into the way of others.
[[nodiscard]] std::shared_ptr<rocksdb::FileSystem> watch_reads(
    std::shared_ptr<rocksdb::FileSystem> target, std::string suffix, Fatal fatal);

}  // namespace bos::eventstore
