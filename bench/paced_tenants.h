#pragma once

#include "bench/lead_requests.h"
#include "bench/measured.h"
#include "gateway/node.h"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

namespace bos::bench {

/// Tenants of a node that each have one lead and send one command about it every second, spread
/// over the second. They do not wait for answers: a node that is late does not get less to do.
class PacedTenants {
  public:
    /// Makes the tenants: topics, views, and a lead of each. `node` outlives them.
    PacedTenants(gateway::Node& node, std::size_t count);

    /// Sends for so long and waits for all answers. An answer's time counts from when its command
    /// was due, whenever it was sent.
    [[nodiscard]] Measured run(double seconds);

  private:
    struct Tenant {
        TenantId id;
        leads::LeadId lead;
        std::uint64_t commands = 0;
    };

    [[nodiscard]] commands::Request next_command(Tenant& tenant);
    void send(const Tenant& tenant, commands::Request request,
              std::move_only_function<void(const commands::Outcome&)> reply);
    /// Runs on the shard.
    void answered(bool ok);
    void wait_for_all();

    gateway::Node& node_;
    LeadRequests requests_;
    std::vector<Tenant> tenants_;
    std::size_t next_ = 0;

    std::mutex mutex_;
    std::condition_variable answered_;
    std::size_t under_way_ = 0;  ///< guarded by mutex_
    bool failed_ = false;        ///< guarded by mutex_

    std::vector<std::uint64_t> latencies_ns_;  ///< touched on the shard while any is under way
};

}  // namespace bos::bench
