#include "gateway/rebuilds.h"

#include "eventstore/this_thread.h"

#include <spdlog/spdlog.h>

namespace bos::gateway {

Rebuilds::~Rebuilds() {
    if (thread_.joinable()) thread_.join();
}

bool Rebuilds::start(const TenantId& tenant) {
    const std::lock_guard lock(mutex_);
    if (running_) return false;
    if (thread_.joinable()) thread_.join();  // has ended: running_ is its last word
    running_ = true;
    states_[tenant] = State{.done = {}, .all = {}, .running = true, .failure = {}};
    thread_ = std::thread([this, tenant] { run(tenant); });
    return true;
}

std::optional<Rebuilds::State> Rebuilds::state(const TenantId& tenant) const {
    const std::lock_guard lock(mutex_);
    const auto found = states_.find(tenant);
    if (found == states_.end()) return std::nullopt;
    return found->second;
}

void Rebuilds::run(const TenantId& tenant) {
    eventstore::this_thread_is("rebuild");
    projections::RebuildOptions options;
    options.progress = [&](Position done, Position all) {
        const std::lock_guard lock(mutex_);
        states_[tenant].done = done;
        states_[tenant].all = all;
    };
    const Result<void> rebuilt = node_.runner().rebuild(tenant, node_.log(), options);
    if (!rebuilt) spdlog::error("rebuild of {}: {}", tenant.value(), rebuilt.error().detail);
    const std::lock_guard lock(mutex_);
    State& state = states_[tenant];
    state.running = false;
    if (!rebuilt) state.failure = rebuilt.error();
    running_ = false;
}

}  // namespace bos::gateway
