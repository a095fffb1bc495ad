#pragma once

#include "gateway/http.h"

#include <boost/container/small_vector.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bos::gateway {

/// What the documentation says about a route.
struct RouteInfo {
    std::string method;
    std::string pattern;    ///< "/v1/leads/{lead}"
    std::string operation;  ///< stable name for OpenAPI and permissions: "leads.qualify"
    std::string summary;
};

/// Finds the handler of a method and path. A fixed segment wins over a parameter, whatever the
/// order of adding; parameters are never empty. HEAD is answered by GET's handler, OPTIONS by the
/// router. Routes are added before the server starts; afterwards it is constant. Thread-safe from
/// then on. Must outlive the requests in flight.
class Router {
  public:
    Router();
    ~Router();
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;

    /// `route` is "METHOD /path/{name}". A route that is malformed or already there is our own bug.
    void add(std::string_view route, Handler handler, std::string operation = {},
             std::string summary = {});

    /// 404 where no route has the path, 405 with Allow where another method has it.
    [[nodiscard]] boost::asio::awaitable<Response> handle(Request request) const;

    /// Methods that a path answers, sorted, with HEAD and OPTIONS; empty = no such path.
    [[nodiscard]] std::vector<std::string> allowed_methods(std::string_view path) const;
    [[nodiscard]] const std::vector<RouteInfo>& routes() const { return routes_; }

  private:
    struct Node;
    using Segments = boost::container::small_vector<std::string_view, 8>;
    struct Found {
        const Node* node = nullptr;
        Segments values;
    };
    struct Endpoint {
        Handler handler;
        std::string pattern;
        std::vector<std::string> parameter_names;
    };

    [[nodiscard]] Found find(std::string_view path) const;
    [[nodiscard]] static const Node* find_below(const Node& node, const Segments& segments,
                                                std::size_t depth, Segments& values);
    [[nodiscard]] static Segments split(std::string_view path);
    [[nodiscard]] static std::vector<std::string> methods_of(const Node& node);

    std::unique_ptr<Node> root_;
    std::vector<RouteInfo> routes_;
};

}  // namespace bos::gateway
