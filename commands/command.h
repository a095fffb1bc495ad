#pragma once

#include "commands/modules.h"
#include "schemas/base/actor.h"
#include "schemas/base/permission.h"
#include "schemas/base/position.h"
#include "schemas/base/rejection.h"
#include "schemas/base/result.h"
#include "schemas/base/tenant.h"

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace bos::commands {

/// Who asks.
struct Caller {
    Actor actor;
    std::optional<Actor> on_behalf_of;
    Grants grants;
};

/// A command on its way to its tenant's shard.
struct Request {
    TenantId tenant;
    Caller caller;
    AnyCommand command;
    std::string key;            ///< idempotency key, 1 to 255 bytes, unique in the tenant for ever
    bool key_is_fresh = false;  ///< made here for this request: it cannot have been used before
    std::optional<Version> expected_version;  ///< If-Match
    bool dry_run = false;
    Uuid correlation;
    Position causation;  ///< 0 = from outside
    std::uint8_t depth = 0;
};

/// An event as a dry run shows it.
struct ForeseenEvent {
    std::string type;
    StreamId stream;
    Version version;
    std::string json;
};

/// It is so. Durable and valid, exactly once, unless it was a dry run.
struct Done {
    Position position;  ///< of the commit; of the state it rests on where nothing was written
    StreamId target;
    Version version;  ///< of the target after the commit
    bool created = false;
    bool changed = true;    ///< false: it was so already; only the key was written, if there is one
    bool repeated = false;  ///< the first answer of a key that was used before
    std::vector<ForeseenEvent> foreseen;
};

struct VersionConflict {
    Version current;
};
struct KeyReused {};
struct Denied {
    std::string permission;
};

/// Nothing was written, except perhaps under an Error of code unknown.
using Refusal = std::variant<Rejected, VersionConflict, KeyReused, Denied, Error>;
using Outcome = std::expected<Done, Refusal>;

}  // namespace bos::commands
