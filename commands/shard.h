#pragma once

#include "commands/tenant_actor.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace bos::commands {

/// Bounds of a shard.
struct ShardLimits {
    /// Commands taken and not yet answered; more are refused as unavailable (503 with Retry-After).
    /// At 64 connections with pipelining off, 64 are in flight; the rest is room for bursts.
    std::size_t commands_in_flight_max = 4096;
    /// Tenants whose state is kept in memory between commands.
    std::size_t tenants_open_max = 1024;
};

/// The tenants that one thread owns. Everything in domain, commands and projections of a tenant
/// runs on `executor`, which runs one thing at a time, so there are no locks.
class Shard {
  public:
    Shard(boost::asio::any_io_executor executor, const Surroundings& surroundings,
          ShardLimits limits = {});
    ~Shard();
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;

    /// Thread-safe. Exactly one answer, on the caller's executor; unavailable at once when the
    /// shard is full or draining.
    [[nodiscard]] boost::asio::awaitable<Outcome> execute(Request request);

    /// Thread-safe. The same for callers without coroutines; `reply` runs on the shard and must not
    /// block.
    void submit(Request request, Reply reply);

    /// Thread-safe. What is remembered of a tenant is dropped, so that its next command reads the
    /// log anew; `forgotten` runs on the shard. A tenant with commands under way keeps what it has:
    /// they find out by themselves whether the log went on without them.
    void forget(const TenantId& tenant, std::move_only_function<void()> forgotten);

    /// Thread-safe. From now on new commands are refused; `drained` runs once on the shard when
    /// every command that was taken has its answer.
    void drain(std::move_only_function<void()> drained);

    [[nodiscard]] std::size_t in_flight() const {
        return in_flight_.load(std::memory_order_relaxed);
    }

  private:
    struct Completion {
        TenantActor* tenant;
        Result<eventstore::Head> result;
        bool of_confirm;
    };
    struct OpenTenant {
        std::unique_ptr<TenantActor> actor;
        std::uint64_t used = 0;
    };

    void begin(Request request, Reply reply);
    Result<TenantActor*> tenant_for(const TenantId& id);
    void close_idle_tenants();
    [[nodiscard]] TenantActor::Calls calls_of(const TenantId& id);
    void completed(Completion completion);
    void take_completions();
    void finish_draining();

    // Constant after construction.
    const boost::asio::any_io_executor executor_;
    const Surroundings surroundings_;
    const ShardLimits limits_;

    // Thread-safe by themselves.
    std::atomic<std::size_t> in_flight_{0};
    std::atomic<bool> draining_{false};

    // Guarded by completions_mutex_: the log's threads meet the shard here.
    std::mutex completions_mutex_;
    std::vector<Completion> completions_;

    // Touched only on the shard.
    std::unordered_map<TenantId, OpenTenant> tenants_;
    std::uint64_t turn_ = 0;
    std::vector<std::move_only_function<void()>> drained_;
};

}  // namespace bos::commands
