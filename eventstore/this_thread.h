#pragma once

namespace bos::eventstore {

/// To be called first by each thread of ours. `name` is what ps, gdb and perf call it, 15 bytes at
/// most. And RocksDB does not count what it does there: nobody reads the counts, and for each
/// comparison of two keys it looks for its counters anew.
void this_thread_is(const char* name);

/// A wait with a time limit ends when it is over, to some microseconds; by default the kernel may
/// let it end 50 us later.
void this_thread_waits_exactly();

}  // namespace bos::eventstore
