#pragma once

#include "tests/sim/disk.h"
#include "tests/sim/scheduler.h"

#include <rocksdb/env.h>

#include <functional>
#include <memory>

namespace bos::sim {

/// RocksDB's surroundings in a simulation: files on `disk`, time of `clock`, and no threads: jobs
/// (flushes, compactions) wait as steps of `owner`, one after the other. Nothing is logged.
///
/// A call of RocksDB's that waits for its own jobs (DB::Flush, CompactRange) would wait for ever.
[[nodiscard]] std::unique_ptr<rocksdb::Env> disk_env(Disk& disk, Scheduler& scheduler,
                                                     VirtualClock& clock, Scheduler::Owner owner);

/// The files alone: threads and time are the machine's, `clock` dates the files.
[[nodiscard]] std::unique_ptr<rocksdb::Env> disk_env(Disk& disk, Clock& clock);

/// RocksDB draws the heights of its skip lists from a generator of the thread, seeded by the
/// thread's address: with it, memtables fill up at the same record in each run.
void reseed_rocksdb(std::uint64_t seed);

/// The lane of the jobs.
inline constexpr std::uint32_t database_lane = 100;

}  // namespace bos::sim
