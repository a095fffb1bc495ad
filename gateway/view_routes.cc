#include "gateway/view_routes.h"

#include "schemas/base/json_write.h"

#include <boost/asio/awaitable.hpp>
#include <fmt/format.h>

#include <iterator>

namespace bos::gateway {

namespace asio = boost::asio;

namespace {

constexpr std::string_view permission = "views:view:manage";

std::expected<Caller, Problem> manager_of_views(const Api& api, const Request& request) {
    auto caller = api.authenticate(request);
    if (caller && find_grant(caller->grants, permission) == nullptr) {
        return std::unexpected(Problem::of(
            problems::forbidden, fmt::format("This needs the permission {}.", permission)));
    }
    return caller;
}

std::string rebuild_json(const Rebuilds::State& state) {
    std::string out = fmt::format(R"({{"running":{},"done":{},"all":{})", state.running,
                                  state.done.value, state.all.value);
    if (state.failure) {
        out += R"(,"failure":)";
        append_json_string(out, state.failure->detail);
    }
    return out + '}';
}

asio::awaitable<Response> show_views(const Api& api, Node& node, const Rebuilds& rebuilds,
                                     Request request) {
    const auto caller = manager_of_views(api, request);
    if (!caller) co_return to_response(caller.error());
    const auto views = node.views().views(caller->tenant);
    if (!views) co_return problem_response(problems::unavailable, "The views cannot be read.");
    std::string body = fmt::format(R"({{"position":{},"views":[)", views->applied.value);
    for (const projections::ViewDescription& view : node.runner().views().views()) {
        if (body.back() != '[') body += ',';
        fmt::format_to(std::back_inserter(body), R"({{"name":"{}","version":{}}})", view.name,
                       view.version);
    }
    body += ']';
    if (const auto state = rebuilds.state(caller->tenant)) {
        body += R"(,"rebuild":)" + rebuild_json(*state);
    }
    co_return json_response(200, body + '}');
}

asio::awaitable<Response> rebuild_views(const Api& api, Rebuilds& rebuilds, Request request) {
    const auto caller = manager_of_views(api, request);
    if (!caller) co_return to_response(caller.error());
    if (!rebuilds.start(caller->tenant)) {
        Problem problem = Problem::of(problems::conflict, "A rebuild runs already.");
        problem.code = "rebuild_running";
        co_return to_response(problem);
    }
    Response response = json_response(202, R"({"started":true})");
    response.headers.set("Location", "/v1/views");
    co_return response;
}

}  // namespace

void add_view_routes(Router& router, const Api& api, Node& node, Rebuilds& rebuilds) {
    router.add(
        "GET /v1/views",
        [&api, &node, &rebuilds](Request request) {
            return show_views(api, node, rebuilds, std::move(request));
        },
        "views.show", "Views and how far they are");
    router.add(
        "POST /v1/views/rebuild",
        [&api, &rebuilds](Request request) {
            return rebuild_views(api, rebuilds, std::move(request));
        },
        "views.rebuild", "Build the views anew");
}

}  // namespace bos::gateway
