#pragma once

#include "gateway/node.h"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace bos::gateway {

/// Makes a tenant's shard ready to decide after this node got it: the topic is read to the end that
/// it has then, and what the shard remembers of an earlier term is forgotten. Done for a tenant
/// when its first command of the term comes, so that taking over a shard of thousands costs nothing
/// at once.
///
/// Thread-safe.
class Takeover {
  public:
    explicit Takeover(Node& node) : node_(node) {}

    /// Returns when commands of the tenant may be decided here. Errors: as KafkaLog::catch_up.
    [[nodiscard]] boost::asio::awaitable<Result<void>> ready(TenantId tenant, std::uint64_t term);

  private:
    using Done = std::move_only_function<void(Result<void>)>;
    struct State {
        std::uint64_t term = 0;  ///< the last one that it was ready for
        std::uint64_t under_way = 0;
        std::vector<Done> waiting;
    };

    [[nodiscard]] bool is_ready(const TenantId& tenant, std::uint64_t term);
    void begin(const TenantId& tenant, std::uint64_t term, Done done);
    void finish(const TenantId& tenant, const Result<void>& outcome);

    Node& node_;
    std::mutex mutex_;
    std::unordered_map<TenantId, State> tenants_;  ///< guarded by mutex_
};

}  // namespace bos::gateway
