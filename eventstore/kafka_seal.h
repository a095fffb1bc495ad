#pragma once

#include "eventstore/event_log.h"
#include "schemas/base/random.h"

#include <string>
#include <string_view>

namespace bos::eventstore {

/// The command's name in a seal.
inline constexpr std::string_view seal_command = "log.seal";

/// A valid record without events that continues `head`. It takes the position for which appends of
/// unknown outcome compete: whichever of them and the seal stands first in the topic has the
/// position, and the others are stale for ever, whenever they arrive. `recorded_at` is that of the
/// head's record; the seal's is never before it, whatever the clock says.
[[nodiscard]] std::string seal_after(const TenantId& tenant, const Head& head,
                                     Timestamp recorded_at, Clock& clock, Random& random);

}  // namespace bos::eventstore
