#pragma once

#include "eventstore/end_process.h"

#include <cstddef>
#include <string>

namespace rocksdb {
class Env;
}

namespace bos::projections {

/// What to do with files that are damaged or of a newer version. Views are disposable: everything
/// in them follows from the log of events.
enum class OnCorruption { refuse, start_empty };

struct ViewStoreOptions {
    std::string path;
    rocksdb::Env* env = nullptr;  ///< none = the operating system's files
    OnCorruption on_corruption = OnCorruption::refuse;
    std::size_t cache_bytes = 256u << 20;        ///< blocks read from files
    std::size_t write_buffer_bytes = 64u << 20;  ///< of each column family, twice
    std::size_t wal_bytes_max = 64u << 20;       ///< a start after a crash replays about so much
    std::size_t file_bytes_min = 4u << 20;       ///< a build writes more than that as files
    /// When the store cannot be written any more until it is opened again: the views would stand
    /// still while commands are answered.
    eventstore::Fatal fatal = eventstore::end_process;
};

}  // namespace bos::projections
