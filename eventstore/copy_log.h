#pragma once

#include "eventstore/event_log.h"

#include <functional>

namespace bos::eventstore {

/// Appends a tenant's records to another log, byte by byte as they are: positions, hashes and keys
/// stay what they were, and so does whatever rests on them. Goes on where an earlier copy ended.
/// Blocks until the last one is durable there; nobody else may append to `to` meanwhile.
///
/// Errors: conflict = `to` has records of this tenant that `from` has not; those of append() and
/// scan().
[[nodiscard]] Result<Head> copy_tenant(const EventLog& from, EventLog& to, const TenantId& tenant,
                                       const std::function<void(Position)>& progress = {});

}  // namespace bos::eventstore
