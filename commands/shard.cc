#include "commands/shard.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace bos::commands {

namespace asio = boost::asio;

Shard::Shard(asio::any_io_executor executor, const Surroundings& surroundings, ShardLimits limits)
    : executor_(std::move(executor)), surroundings_(surroundings), limits_(limits) {}

Shard::~Shard() = default;

asio::awaitable<Outcome> Shard::execute(Request request) {
    const auto start = [this](auto handler, Request moved) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        submit(std::move(moved), [shared](Outcome outcome) {
            const auto back = asio::get_associated_executor(*shared);
            asio::post(back, [shared, answer = std::move(outcome)]() mutable {
                (*shared)(std::move(answer));
            });
        });
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Outcome)>(
        start, asio::use_awaitable, std::move(request));
}

void Shard::submit(Request request, Reply reply) {
    const std::size_t before = in_flight_.fetch_add(1);
    if (draining_ || before >= limits_.commands_in_flight_max) {
        in_flight_.fetch_sub(1);
        const char* reason =
            draining_ ? "the node is shutting down" : "too many commands are waiting";
        // The caller may hold what its reply needs until submit returns, so the reply never runs
        // inside it.
        asio::post(executor_, [this, refused = std::move(reply), reason]() mutable {
            refused(std::unexpected(Refusal(Error{Code::unavailable, reason})));
            // It was counted for a moment, in which a drain may have looked.
            finish_draining();
        });
        return;
    }
    asio::post(executor_, [this, moved = std::move(request), counted = std::move(reply)]() mutable {
        begin(std::move(moved), std::move(counted));
    });
}

void Shard::begin(Request request, Reply reply) {
    Reply counted = [this, inner = std::move(reply)](Outcome outcome) mutable {
        inner(std::move(outcome));
        in_flight_.fetch_sub(1);
        finish_draining();
    };
    auto tenant = tenant_for(request.tenant);
    if (!tenant) {
        counted(std::unexpected(Refusal(std::move(tenant).error())));
        return;
    }
    (*tenant)->handle(std::move(request), std::move(counted));
}

Result<TenantActor*> Shard::tenant_for(const TenantId& id) {
    auto found = tenants_.find(id);
    if (found == tenants_.end()) {
        close_idle_tenants();
        OpenTenant opened;
        opened.actor = std::make_unique<TenantActor>(id, surroundings_, calls_of(id));
        BOS_CHECK(opened.actor->open());
        found = tenants_.emplace(id, std::move(opened)).first;
    }
    found->second.used = ++turn_;
    return found->second.actor.get();
}

void Shard::close_idle_tenants() {
    if (tenants_.size() < limits_.tenants_open_max) return;
    const std::uint64_t oldest_kept =
        turn_ > limits_.tenants_open_max / 2 ? turn_ - limits_.tenants_open_max / 2 : 0;
    std::erase_if(tenants_, [&](const auto& entry) {
        return entry.second.used < oldest_kept && entry.second.actor->idle();
    });
}

TenantActor::Calls Shard::calls_of(const TenantId& id) {
    const auto done = [this](TenantActor* tenant, bool of_confirm) {
        return [this, tenant, of_confirm](Result<eventstore::Head> result) {
            completed({tenant, std::move(result), of_confirm});
        };
    };
    return {.append =
                [this, id, done](std::string record) {
                    surroundings_.log.append(std::move(record),
                                             done(tenants_.at(id).actor.get(), false));
                },
            .confirm =
                [this, id, done](const eventstore::Head& end) {
                    surroundings_.log.confirm(id, end, done(tenants_.at(id).actor.get(), true));
                }};
}

/// Runs on: a thread of the log, or inside append() or confirm().
void Shard::completed(Completion completion) {
    bool first = false;
    {
        const std::lock_guard lock(completions_mutex_);
        first = completions_.empty();
        completions_.push_back(std::move(completion));
    }
    // One turn of the shard takes all that a group commit made durable.
    if (first) asio::post(executor_, [this] { take_completions(); });
}

void Shard::take_completions() {
    std::vector<Completion> completions;
    {
        const std::lock_guard lock(completions_mutex_);
        completions.swap(completions_);
    }
    std::vector<TenantActor*> touched;
    for (Completion& completion : completions) {
        if (completion.of_confirm) {
            completion.tenant->confirmed(completion.result);
        } else {
            completion.tenant->completed(std::move(completion.result));
        }
        if (std::ranges::find(touched, completion.tenant) == touched.end())
            touched.push_back(completion.tenant);
    }
    for (TenantActor* tenant : touched) tenant->settle();
}

void Shard::forget(const TenantId& tenant, std::move_only_function<void()> forgotten) {
    asio::post(executor_, [this, tenant, done = std::move(forgotten)]() mutable {
        const auto found = tenants_.find(tenant);
        if (found != tenants_.end() && found->second.actor->idle()) tenants_.erase(found);
        done();
    });
}

void Shard::drain(std::move_only_function<void()> drained) {
    draining_ = true;
    asio::post(executor_, [this, done = std::move(drained)]() mutable {
        drained_.push_back(std::move(done));
        finish_draining();
    });
}

void Shard::finish_draining() {
    if (drained_.empty() || in_flight_ != 0) return;
    auto callbacks = std::exchange(drained_, {});
    for (auto& callback : callbacks) callback();
}

}  // namespace bos::commands
