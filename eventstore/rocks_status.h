#pragma once

#include "schemas/base/result.h"

#include <rocksdb/status.h>

#include <string_view>

namespace bos::eventstore {

/// The one place where RocksDB's status becomes our error. `doing` says what was tried: "read
/// record 7".
[[nodiscard]] std::unexpected<Error> failed(const rocksdb::Status& status, std::string_view doing);

}  // namespace bos::eventstore

/// BOS_ROCKS(db.Put(…), "put key"); returns the error to the caller.
#define BOS_ROCKS(expression, doing)                                                 \
    do {                                                                             \
        if (const ::rocksdb::Status rocks_status = (expression); !rocks_status.ok()) \
            return ::bos::eventstore::failed(rocks_status, doing);                   \
    } while (false)
