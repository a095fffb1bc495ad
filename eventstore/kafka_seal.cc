#include "eventstore/kafka_seal.h"

#include <algorithm>

namespace bos::eventstore {

std::string seal_after(const TenantId& tenant, const Head& head, Timestamp recorded_at,
                       Clock& clock, Random& random) {
    const Timestamp now = std::max(clock.now(), recorded_at);
    const Uuid id = new_uuid(now, random);
    return encode(Commit{.tenant = tenant,
                         .position = head.position.next(),
                         .previous_hash = head.hash,
                         .recorded_at = now,
                         .command = std::string(seal_command),
                         .key = std::string(seal_command) + ":" + to_string(id),
                         .fingerprint = {},
                         .actor = {.kind = ActorKind::system, .id = UserId{}},
                         .on_behalf_of = std::nullopt,
                         .correlation = id,
                         .causation = {},
                         .depth = 0,
                         .grant = std::string(seal_command),
                         .target = {},
                         .target_version = {},
                         .events = {}});
}

}  // namespace bos::eventstore
