#include "gateway/router.h"

#include "gateway/problem.h"
#include "schemas/base/assert.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

namespace bos::gateway {

struct Router::Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> fixed;
    std::unique_ptr<Node> parameter;
    std::map<std::string, Endpoint, std::less<>> endpoints;  // by method
};

namespace {

bool is_parameter(std::string_view segment) {
    return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

}  // namespace

/// "/v1/leads" -> {"v1", "leads"}; "/" -> {""}: a path always starts with '/'.
Router::Segments Router::split(std::string_view path) {
    Segments segments;
    path.remove_prefix(1);
    while (true) {
        const std::size_t slash = path.find('/');
        segments.push_back(path.substr(0, slash));
        if (slash == std::string_view::npos) return segments;
        path.remove_prefix(slash + 1);
    }
}

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;

void Router::add(std::string_view route, Handler handler, std::string operation,
                 std::string summary) {
    const std::size_t space = route.find(' ');
    BOS_ASSERT(space != std::string_view::npos && space > 0 &&
               route.substr(space + 1).starts_with('/'));
    const std::string method(route.substr(0, space));
    const std::string pattern(route.substr(space + 1));

    Node* node = root_.get();
    std::vector<std::string> names;
    for (const std::string_view segment : split(pattern)) {
        if (is_parameter(segment)) {
            names.emplace_back(segment.substr(1, segment.size() - 2));
            if (!node->parameter) node->parameter = std::make_unique<Node>();
            node = node->parameter.get();
        } else {
            BOS_ASSERT(segment.find_first_of("{}") == std::string_view::npos);
            std::unique_ptr<Node>& next = node->fixed[std::string(segment)];
            if (!next) next = std::make_unique<Node>();
            node = next.get();
        }
    }
    BOS_ASSERT(std::set<std::string>(names.begin(), names.end()).size() == names.size());
    const bool is_new =
        node->endpoints.emplace(method, Endpoint{std::move(handler), pattern, std::move(names)})
            .second;
    BOS_ASSERT(is_new);
    routes_.push_back({method, pattern, std::move(operation), std::move(summary)});
}

const Router::Node* Router::find_below(const Node& node, const Segments& segments,
                                       std::size_t depth, Segments& values) {
    if (depth == segments.size()) return node.endpoints.empty() ? nullptr : &node;
    const std::string_view segment = segments[depth];
    if (const auto next = node.fixed.find(segment); next != node.fixed.end()) {
        if (const Node* found = find_below(*next->second, segments, depth + 1, values))
            return found;
    }
    if (!node.parameter || segment.empty()) return nullptr;
    values.push_back(segment);
    const Node* found = find_below(*node.parameter, segments, depth + 1, values);
    if (found == nullptr) values.pop_back();
    return found;
}

Router::Found Router::find(std::string_view path) const {
    Found found;
    if (!path.starts_with('/')) return found;
    found.node = find_below(*root_, split(path), 0, found.values);
    return found;
}

std::vector<std::string> Router::methods_of(const Node& node) {
    std::set<std::string> methods{"OPTIONS"};
    for (const auto& [method, endpoint] : node.endpoints) methods.insert(method);
    if (methods.contains("GET")) methods.insert("HEAD");
    return {methods.begin(), methods.end()};
}

std::vector<std::string> Router::allowed_methods(std::string_view path) const {
    const Found found = find(path);
    return found.node == nullptr ? std::vector<std::string>{} : methods_of(*found.node);
}

boost::asio::awaitable<Response> Router::handle(Request request) const {
    const Found found = find(request.path);
    if (found.node == nullptr) {
        // "OPTIONS *" asks about the server as a whole (RFC 9110 9.3.7).
        if (request.method == "OPTIONS" && request.path == "*") {
            Response response;
            response.status = 204;
            co_return response;
        }
        co_return problem_response(problems::not_found);
    }
    auto endpoint = found.node->endpoints.find(request.method);
    if (endpoint == found.node->endpoints.end() && request.method == "HEAD") {
        endpoint = found.node->endpoints.find("GET");
    }
    if (endpoint == found.node->endpoints.end()) {
        Response response;
        if (request.method == "OPTIONS") {
            response.status = 204;
        } else {
            response = problem_response(problems::method_not_allowed);
        }
        response.headers.set("Allow", fmt::format("{}", fmt::join(methods_of(*found.node), ", ")));
        response.route = found.node->endpoints.begin()->second.pattern;
        co_return response;
    }

    const Endpoint& matched = endpoint->second;
    for (std::size_t i = 0; i < found.values.size(); ++i) {
        request.params.add(matched.parameter_names[i], std::string(found.values[i]));
    }
    request.route = matched.pattern;
    boost::asio::awaitable<Response> answer = matched.handler(std::move(request));
    Response response = co_await std::move(answer);
    response.route = matched.pattern;
    co_return response;
}

}  // namespace bos::gateway
