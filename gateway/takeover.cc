#include "gateway/takeover.h"

#include "gateway/await_outcome.h"

#include <utility>

namespace bos::gateway {

namespace asio = boost::asio;

bool Takeover::is_ready(const TenantId& tenant, std::uint64_t term) {
    const std::lock_guard lock(mutex_);
    const auto found = tenants_.find(tenant);
    return found != tenants_.end() && found->second.term >= term;
}

asio::awaitable<Result<void>> Takeover::ready(TenantId tenant, std::uint64_t term) {
    // What was read for an earlier term does not prove a later one.
    while (!is_ready(tenant, term)) {
        Result<void> read = co_await await_outcome(
            [this, &tenant, term](Done done) { begin(tenant, term, std::move(done)); });
        if (!read) co_return read;
    }
    co_return Result<void>();
}

void Takeover::begin(const TenantId& tenant, std::uint64_t term, Done done) {
    {
        const std::lock_guard lock(mutex_);
        State& state = tenants_[tenant];
        state.waiting.push_back(std::move(done));
        if (state.under_way != 0) return;
        state.under_way = term;
    }
    node_.renew(tenant, [this, tenant](const Result<void>& outcome) { finish(tenant, outcome); });
}

void Takeover::finish(const TenantId& tenant, const Result<void>& outcome) {
    std::vector<Done> waiting;
    {
        const std::lock_guard lock(mutex_);
        State& state = tenants_[tenant];
        const std::uint64_t term = std::exchange(state.under_way, 0);
        if (outcome) state.term = term;
        waiting = std::exchange(state.waiting, {});
    }
    for (Done& done : waiting) done(outcome);
}

}  // namespace bos::gateway
