#pragma once

#include "commands/shard.h"
#include "eventstore/event_log.h"
#include "eventstore/key_store.h"
#include "gateway/answer_cache.h"
#include "gateway/http.h"
#include "gateway/problem.h"
#include "projections/view_store.h"
#include "schemas/base/permission.h"
#include "schemas/base/random.h"
#include "schemas/base/tenant.h"
#include "schemas/base/time.h"

#include <expected>
#include <functional>

namespace bos::gateway {

class Cluster;
class Metrics;

/// Who a request comes from: told by its credential, never by its body.
struct Caller {
    TenantId tenant;
    UserId user;
    Grants grants;
};

/// What routes need of the node behind them. Outlives the server. Every member may be used from any
/// thread.
struct Api {
    std::function<std::expected<Caller, Problem>(const Request&)> authenticate;
    std::function<commands::Shard&(const TenantId&)> shard_of;
    const eventstore::EventLog& log;
    eventstore::KeyStore& keys;
    const eventstore::FieldSealer& sealer;
    const projections::ViewStore& views;
    AnswerCache& answers;
    Metrics& metrics;
    Clock& clock;
    Random& random;
    Cluster* cluster = nullptr;  ///< none: this node is alone and has the log
};

}  // namespace bos::gateway
