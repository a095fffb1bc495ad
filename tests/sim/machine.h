#pragma once

#include "eventstore/key_store.h"
#include "eventstore/memory_key_store.h"
#include "eventstore/memory_log.h"
#include "tests/commands/machine.h"
#include "tests/sim/disk.h"
#include "tests/sim/ledger.h"
#include "tests/sim/plan.h"
#include "tests/sim/scheduler.h"
#include "tests/sim/trace.h"

#include <array>
#include <memory>

namespace bos::sim {

/// What outlives a process, and what stands around it. Time, chance and storage of a run are here
/// and nowhere else.
struct Machine {
    Machine(const Plan& from, bool print)
        : plan(from), trace(print), draws(from.seed), random(from.seed ^ 0x72616e64) {}

    const Plan plan;
    Trace trace;
    Ledger ledger;
    Draws draws;
    Scheduler scheduler{draws};
    VirtualClock clock{scheduler};
    commands::test::SetRandom random;
    eventstore::MemoryKeyStore keys{random};
    eventstore::FieldSealer sealer{keys, random};
    std::shared_ptr<eventstore::MemoryDisk> records = eventstore::new_memory_disk(
        plan.owners > 1 ? eventstore::Owners::several : eventstore::Owners::one);
    /// Of each owner.
    std::array<std::shared_ptr<Disk>, 2> disks{std::make_shared<Disk>(), std::make_shared<Disk>()};
};

}  // namespace bos::sim
