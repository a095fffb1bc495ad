#include "eventstore/this_thread.h"

#include "schemas/base/assert.h"

#include <rocksdb/perf_level.h>

#include <pthread.h>
#include <sys/prctl.h>

namespace bos::eventstore {

void this_thread_is(const char* name) {
    BOS_ASSERT(::pthread_setname_np(::pthread_self(), name) == 0);
    rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
}

void this_thread_waits_exactly() {
    constexpr unsigned long slack_ns = 1000;
    BOS_ASSERT(::prctl(PR_SET_TIMERSLACK, slack_ns, 0UL, 0UL, 0UL) == 0);
}

}  // namespace bos::eventstore
