#include "gateway/serving.h"

#include "gateway/command_routes.h"
#include "gateway/events_on_kafka.h"
#include "gateway/health_routes.h"
#include "gateway/open_credentials.h"
#include "gateway/page.h"
#include "gateway/query_routes.h"
#include "gateway/view_routes.h"

#include <spdlog/spdlog.h>

#include <functional>
#include <utility>

namespace bos::gateway {

namespace {

/// A tenant comes to be with its first key: its first request opens its views.
std::expected<Caller, Problem> authenticate(Authenticator& authenticator, Node& node,
                                            const PeerRoles& roles, const Request& request) {
    if (!roles.gateway && !request.headers.has(forwarded_header)) {
        return std::unexpected(
            Problem::of(problems::misdirected, "This node takes requests of other nodes only."));
    }
    auto principal = authenticator.authenticate(request.headers.get("Authorization"), request.peer);
    if (!principal) return std::unexpected(std::move(principal).error());
    const auto opened = roles.views ? node.open_tenant(principal->tenant) : Result<void>();
    if (!opened) {
        spdlog::error("views of {}: {}", principal->tenant.value(), opened.error().detail);
        return std::unexpected(Problem::of(problems::unavailable, "The tenant cannot be opened."));
    }
    return Caller{.tenant = principal->tenant,
                  .user = principal->user,
                  .grants = std::move(principal->grants)};
}

/// What a node that is alone does.
PeerRoles roles_of(const ServingOptions& options) {
    return options.node.kafka.given() ? options.roles : PeerRoles{};
}

}  // namespace

Result<std::unique_ptr<Serving>> Serving::open(const ServingOptions& options, Metrics& metrics,
                                               Clock& clock, Random& random) {
    NodeOptions node_options = options.node;
    node_options.keeps_views = roles_of(options).views;
    BOS_TRY(std::unique_ptr<Node> node, Node::open(node_options, clock, random));
    BOS_TRY(std::unique_ptr<CredentialSource> credentials,
            open_credentials(options.node.data, options.node.kafka));
    auto serving = std::unique_ptr<Serving>(
        new Serving(options, std::move(node), std::move(credentials), metrics, clock, random));
    if (node_options.keeps_views) {
        BOS_CHECK(serving->node_->catch_up([](const TenantId& tenant, Position done, Position all) {
            if (done == all && all.value > 0)
                spdlog::debug("views of {} are at {}", tenant.value(), all.value);
        }));
    }
    return serving;
}

Serving::Serving(const ServingOptions& options, std::unique_ptr<Node> node,
                 std::unique_ptr<CredentialSource> credentials, Metrics& metrics, Clock& clock,
                 Random& random)
    : node_(std::move(node)),
      credentials_(std::move(credentials)),
      authenticator_(*credentials_, clock),
      api_{.authenticate = std::bind_front(&authenticate, std::ref(authenticator_),
                                           std::ref(*node_), roles_of(options)),
           .shard_of = [this](const TenantId& tenant) -> commands::Shard& {
               return node_->shard_of(tenant);
           },
           .log = node_->log(),
           .keys = node_->keys(),
           .sealer = node_->sealer(),
           .views = node_->views(),
           .answers = answers_,
           .metrics = metrics,
           .clock = clock,
           .random = random},
      rebuilds_(*node_) {
    if (options.node.kafka.given()) {
        cluster_.emplace(
            ClusterOptions{
                .kafka = options.node.kafka, .roles = options.roles, .peers = options.peers},
            *node_);
        api_.cluster = &*cluster_;
    }
    add_command_routes(router_, api_);
    add_query_routes(router_, api_);
    add_health_routes(router_, *node_, api_.cluster, metrics);
    add_view_routes(router_, api_, *node_, rebuilds_);
    add_page(router_);
    if (node_->events()) add_events_metrics(metrics, node_->events());
}

Serving::~Serving() { stop(std::chrono::milliseconds(0)); }

Result<void> Serving::start(const std::vector<boost::asio::any_io_executor>& threads,
                            std::string address) {
    node_->start();
    if (cluster_) {
        BOS_CHECK(cluster_->join(std::move(address), threads));
    }
    timers_.emplace(threads.front(), *node_,
                    [this](const TenantId& tenant) { return !cluster_ || cluster_->owns(tenant); });
    timers_->start();
    return {};
}

void Serving::leave(std::chrono::milliseconds most) {
    if (cluster_) cluster_->leave(most);
}

bool Serving::stop(std::chrono::milliseconds deadline) {
    if (timers_) timers_->stop();
    leave(std::chrono::milliseconds(0));
    return node_->stop(deadline);
}

void Serving::close() {
    if (cluster_) cluster_->close();
}

}  // namespace bos::gateway
