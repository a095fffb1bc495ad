#include "gateway/cluster.h"

#include "eventstore/this_thread.h"
#include "gateway/await_outcome.h"
#include "gateway/shard_group.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>
#include <utility>

namespace bos::gateway {

namespace asio = boost::asio;

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Of one attempt at another node: a command waits for Kafka, at most.
constexpr auto attempt_timeout = milliseconds(60'000);
/// A hand-over takes some hundred milliseconds; looking is a map's.
constexpr auto look_again_after = milliseconds(20);
constexpr auto follow_every = milliseconds(1'000);
constexpr int ask_cluster_every = 5;  ///< of them
/// Three announcements of a node, and a half.
constexpr auto heard_within = milliseconds(7'000);

asio::awaitable<void> pause(milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

Response not_here(std::string detail) {
    return problem_response(problems::misdirected, std::move(detail));
}

/// Not the word that it is another node's affair.
bool is_answer(const PeerClient::Attempt& attempt) {
    return attempt.response && attempt.response->status != problems::misdirected.status;
}

Response nobody_answers(bool may_have_arrived) {
    Problem problem =
        may_have_arrived ? Problem::of(problems::outcome_unknown)
                         : Problem::of(problems::unavailable,
                                       "No node can take this at the moment; nothing was written.");
    problem.retry_after = std::chrono::seconds(1);
    return to_response(problem);
}

}  // namespace

Cluster::Cluster(ClusterOptions options, Node& node)
    : options_(std::move(options)), node_(node), takeover_(node) {}

Cluster::~Cluster() { leave(milliseconds(0)); }

Result<void> Cluster::join(std::string address, const std::vector<asio::any_io_executor>& threads) {
    address_ = std::move(address);
    BOS_TRY(peers_, PeerClient::open(options_.peers, threads));
    ShardGroupOptions group;
    BOS_TRY(group.properties, client_properties(options_.kafka));
    group.topic = options_.kafka.prefix + ".shards";
    group.replication_factor = options_.kafka.replication_factor;
    group.min_insync_replicas =
        std::min(options_.kafka.min_insync_replicas, options_.kafka.replication_factor);
    group.self = {.address = address_, .roles = options_.roles};
    table_.emplace(cluster_shards, address_, group.session_timeout);
    group_ = std::make_unique<ShardGroup>(std::move(group), *table_);
    follower_ = std::thread([this] { look_after_tenants(); });
    return {};
}

void Cluster::leave(milliseconds most) {
    leaving_ = true;
    const auto until = Clock::now() + most;
    // What is under way is answered here; what comes now waits for the next owner.
    while (node_.commands_in_flight() > 0 && Clock::now() < until) {
        std::this_thread::sleep_for(milliseconds(1));
    }
    if (group_) group_->leave();
    {
        const std::lock_guard lock(stop_mutex_);
        stopping_ = true;
    }
    stop_.notify_one();
    if (follower_.joinable()) follower_.join();
}

void Cluster::close() {
    if (peers_) peers_->close();
}

bool Cluster::owns(const TenantId& tenant) const {
    return !leaving_ && table_ && table_->is_own(tenant, Clock::now());
}

void Cluster::hurry(const TenantId& tenant) {
    if (!owns(tenant)) node_.kafka()->follow(tenant, [](const Result<void>&) {});
}

bool Cluster::is_alone() const {
    return std::ranges::none_of(table_->peers(Clock::now(), heard_within),
                                [](const Peer& peer) { return peer.roles.commands; });
}

// --- requests ----------------------------------------------------------------------------------

asio::awaitable<Response> Cluster::at_owner(TenantId tenant, Request request, Here here) {
    const bool from_peer = request.headers.has(forwarded_header);
    request.headers.set(forwarded_header, address_);
    const auto until = Clock::now() + options_.patience;
    bool may_be_written = false;
    while (true) {
        const ShardTable::Owner owner = table_->owner_of(tenant, Clock::now());
        if (owner.kind == ShardTable::Owner::Kind::self && !leaving_) {
            const Result<void> ready = co_await takeover_.ready(tenant, owner.term);
            if (ready) co_return co_await here(may_be_written);
            spdlog::warn("{} cannot be taken over: {}", tenant.value(), ready.error().detail);
            co_return nobody_answers(may_be_written);
        }
        if (from_peer) co_return not_here("Another node decides for this tenant.");
        if (owner.kind == ShardTable::Owner::Kind::other) {
            PeerClient::Attempt attempt =
                co_await peers_->send(owner.address, request, attempt_timeout);
            if (is_answer(attempt)) co_return *std::move(attempt.response);
            may_be_written |= !attempt.response && attempt.may_have_arrived;
        }
        if (Clock::now() >= until || (leaving_ && is_alone()))
            co_return nobody_answers(may_be_written);
        co_await pause(look_again_after);
    }
}

asio::awaitable<Result<void>> Cluster::read_to_end(TenantId tenant) {
    Result<void> read =
        co_await await_outcome([this, &tenant](std::move_only_function<void(Result<void>)> done) {
            node_.kafka()->catch_up(tenant, std::move(done));
        });
    // Nobody has written to it yet.
    if (!read && read.error().code == Code::not_found) co_return Result<void>();
    co_return read;
}

asio::awaitable<Response> Cluster::where_views_are(Request request) {
    if (request.headers.has(forwarded_header)) co_return not_here("This node keeps no views.");
    request.headers.set(forwarded_header, address_);
    const auto until = Clock::now() + options_.patience;
    do {
        std::vector<Peer> peers = table_->peers(Clock::now(), heard_within);
        std::erase_if(peers, [](const Peer& peer) { return !peer.roles.views; });
        if (!peers.empty()) {
            const std::string& address = peers[next_peer_++ % peers.size()].address;
            PeerClient::Attempt attempt = co_await peers_->send(address, request, attempt_timeout);
            if (is_answer(attempt)) co_return *std::move(attempt.response);
        }
        co_await pause(look_again_after);
    } while (Clock::now() < until && !leaving_);
    co_return nobody_answers(false);
}

// --- what others write -------------------------------------------------------------------------

void Cluster::look_after_tenants() {
    eventstore::this_thread_is("tenant follower");
    std::unique_lock lock(stop_mutex_);
    while (!stopping_) {
        lock.unlock();
        look_at_tenants();
        lock.lock();
        stop_.wait_for(lock, follow_every, [this] { return stopping_; });
    }
}

/// A tenant that is written here is published here and not followed; what is so already costs
/// nothing.
void Cluster::look_at_tenants() {
    std::set<TenantId> tenants;
    const auto add = [&](const Result<std::vector<TenantId>>& some) {
        if (some) tenants.insert(some->begin(), some->end());
    };
    add(node_.log().tenants());
    if (round_++ % ask_cluster_every == 0) add(node_.kafka()->tenants_in_cluster());
    for (const TenantId& tenant : tenants) {
        const bool own = owns(tenant);
        if (const auto& events = node_.events()) own ? events->begin(tenant) : events->end(tenant);
        if (own || !options_.roles.views) continue;
        if (const auto followed = node_.follow(tenant); !followed)
            spdlog::error("views of {}: {}", tenant.value(), followed.error().detail);
    }
}

}  // namespace bos::gateway
