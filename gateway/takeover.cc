#include "gateway/takeover.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <utility>

namespace bos::gateway {

namespace asio = boost::asio;

bool Takeover::is_ready(const TenantId& tenant, std::uint64_t term) {
    const std::lock_guard lock(mutex_);
    const auto found = tenants_.find(tenant);
    return found != tenants_.end() && found->second.term >= term;
}

asio::awaitable<Result<void>> Takeover::ready(TenantId tenant, std::uint64_t term) {
    const auto start = [this, &tenant, term](auto handler) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        begin(tenant, term, [shared](Result<void> outcome) {
            asio::post(
                asio::get_associated_executor(*shared),
                [shared, told = std::move(outcome)]() mutable { (*shared)(std::move(told)); });
        });
    };
    // What was read for an earlier term does not prove a later one.
    while (!is_ready(tenant, term)) {
        Result<void> read =
            co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Result<void>)>(
                start, asio::use_awaitable);
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
