#include "gateway/health_routes.h"

#include "gateway/openapi.h"
#include "gateway/problem.h"

#include <boost/asio/awaitable.hpp>
#include <fmt/format.h>

namespace bos::gateway {

namespace asio = boost::asio;

namespace {

asio::awaitable<Response> live() {
    co_return text_response(200, "text/plain; charset=utf-8", "ok\n");
}

asio::awaitable<Response> ready(Node& node, const Cluster* cluster) {
    const auto tenants = node.log().tenants();
    if (!tenants) co_return problem_response(problems::unavailable, "The log cannot be read.");
    const bool has_views = cluster == nullptr || cluster->roles().views;
    for (const TenantId& tenant : *tenants) {
        if (!has_views) break;
        const auto head = node.log().head(tenant);
        const auto views = node.views().views(tenant);
        if (!head || !views)
            co_return problem_response(problems::unavailable, "The stores cannot be read.");
        // A commit is applied a moment after it is durable; further behind means that views stand
        // still.
        constexpr std::uint64_t moment = 1000;
        if (views->applied.value + moment < head->position.value) {
            co_return problem_response(problems::unavailable, "Views are behind the log.");
        }
    }
    std::string body = fmt::format(R"({{"ready":true,"tenants":{},"commands_in_flight":{})",
                                   tenants->size(), node.commands_in_flight());
    if (cluster != nullptr) body += fmt::format(R"(,"shards":{})", cluster->shards().own());
    co_return json_response(200, body + '}');
}

asio::awaitable<Response> show_metrics(const Metrics& metrics) {
    co_return text_response(200, Metrics::content_type, metrics.text());
}

asio::awaitable<Response> show_openapi() { co_return json_response(200, openapi_document()); }

}  // namespace

void add_health_routes(Router& router, Node& node, const Cluster* cluster, const Metrics& metrics) {
    router.add(
        "GET /livez", [](const Request&) { return live(); }, "node.livez", "The process answers");
    router.add(
        "GET /readyz", [&node, cluster](const Request&) { return ready(node, cluster); },
        "node.readyz", "It can serve");
    router.add(
        "GET /metrics", [&metrics](const Request&) { return show_metrics(metrics); },
        "node.metrics", "Prometheus");
    router.add(
        "GET /openapi.json", [](const Request&) { return show_openapi(); }, "node.openapi",
        "OpenAPI 3.1");
}

}  // namespace bos::gateway
