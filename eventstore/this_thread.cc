#include "eventstore/this_thread.h"

#include "schemas/base/assert.h"

#include <rocksdb/perf_level.h>

#include <pthread.h>

namespace bos::eventstore {

void this_thread_is(const char* name) {
    BOS_ASSERT(::pthread_setname_np(::pthread_self(), name) == 0);
    rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
}

}  // namespace bos::eventstore
