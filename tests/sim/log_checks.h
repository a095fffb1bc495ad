#pragma once

#include "eventstore/event_log.h"
#include "tests/sim/ledger.h"

namespace bos::sim {

/// Holds a tenant's log against itself and against what clients were told: the chain is valid,
/// positions are dense and versions gapless, every key stands once and was asked for, what is done
/// is there as it was told, what was refused is not, and keys and streams are found. Errors say
/// what is not so.
[[nodiscard]] Result<void> check_log(const eventstore::EventLog& log, const TenantId& tenant,
                                     const Ledger& ledger);

}  // namespace bos::sim
