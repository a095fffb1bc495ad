#include "bench/paced_tenants.h"

#include "bench/must.h"

#include <fmt/format.h>

#include <stdexcept>
#include <thread>
#include <utility>

namespace bos::bench {

PacedTenants::PacedTenants(gateway::Node& node, std::size_t count) : node_(node) {
    for (std::size_t i = 0; i < count; ++i) {
        tenants_.push_back({.id = *TenantId::parse(fmt::format("small-{}", i)), .lead = {}});
        must(node_.open_tenant(tenants_.back().id));
    }
    for (Tenant& tenant : tenants_) {
        send(tenant, requests_.capture(0), [this, &tenant](const commands::Outcome& outcome) {
            if (outcome) tenant.lead = leads::LeadId(outcome->target.id);
            answered(outcome.has_value());
        });
    }
    wait_for_all();
}

Measured PacedTenants::run(double seconds) {
    const auto start = SteadyClock::now();
    const auto interval = std::chrono::nanoseconds(std::chrono::seconds(1)) / tenants_.size();
    const auto count = static_cast<std::size_t>(seconds * static_cast<double>(tenants_.size()));
    for (std::size_t i = 0; i < count; ++i) {
        const auto due = start + interval * i;
        std::this_thread::sleep_until(due);
        Tenant& tenant = tenants_[next_++ % tenants_.size()];
        send(tenant, next_command(tenant), [this, due](const commands::Outcome& outcome) {
            latencies_ns_.push_back(nanoseconds_since(due));
            answered(outcome.has_value());
        });
    }
    wait_for_all();
    return {.count = count,
            .seconds = std::chrono::duration<double>(SteadyClock::now() - start).count(),
            .latencies_ns = std::exchange(latencies_ns_, {})};
}

/// By the tenant's own number, so that each command changes something.
commands::Request PacedTenants::next_command(Tenant& tenant) {
    const std::uint64_t number = ++tenant.commands;
    return number % 2 == 0 ? requests_.change(tenant.lead, number)
                           : requests_.score(tenant.lead, number);
}

void PacedTenants::send(const Tenant& tenant, commands::Request request,
                        std::move_only_function<void(const commands::Outcome&)> reply) {
    {
        const std::lock_guard lock(mutex_);
        ++under_way_;
    }
    request.tenant = tenant.id;
    node_.shard_of(tenant.id).submit(
        std::move(request),
        [tell = std::move(reply)](const commands::Outcome& outcome) mutable { tell(outcome); });
}

void PacedTenants::answered(bool ok) {
    const std::lock_guard lock(mutex_);
    failed_ = failed_ || !ok;
    // Under the lock: whoever waits may take this object away.
    if (--under_way_ == 0) answered_.notify_one();
}

void PacedTenants::wait_for_all() {
    std::unique_lock lock(mutex_);
    answered_.wait(lock, [this] { return under_way_ == 0; });
    if (failed_) throw std::runtime_error("a command of a small tenant failed");
}

}  // namespace bos::bench
