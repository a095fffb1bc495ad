#include "gateway/router.h"

#include "gateway/problem.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace bos::gateway {

namespace {

boost::asio::awaitable<Response> echo_route(Request request) {
    std::string body = request.method + " " + std::string(request.route);
    for (const auto& [name, value] : request.params.pairs()) body += " " + name + "=" + value;
    co_return text_response(200, "text/plain", std::move(body));
}

void add_sample_routes(Router& router) {
    router.add("GET /", echo_route);
    router.add("GET /v1/leads", echo_route, "leads.list", "Leads that you may see");
    router.add("POST /v1/leads", echo_route);
    router.add("GET /v1/leads/{lead}", echo_route);
    router.add("GET /v1/leads/board", echo_route);
    router.add("POST /v1/leads/{lead}/qualify", echo_route);
    router.add("GET /v1/{module}/schema", echo_route);
}

boost::asio::awaitable<void> answer_into(const Router& router, Request request, Response& out) {
    boost::asio::awaitable<Response> answer = router.handle(std::move(request));
    out = co_await std::move(answer);
}

Response ask(const Router& router, std::string_view method, std::string_view path) {
    boost::asio::io_context context;
    Request request;
    request.method = method;
    request.path = path;
    Response response;
    boost::asio::co_spawn(context, answer_into(router, std::move(request), response),
                          boost::asio::detached);
    context.run();
    return response;
}

}  // namespace

TEST_CASE("a request finds its route and parameters") {
    Router router;
    add_sample_routes(router);
    struct Row {
        const char* method;
        const char* path;
        const char* body;
    };
    const Row rows[] = {
        {"GET", "/", "GET /"},
        {"GET", "/v1/leads", "GET /v1/leads"},
        {"POST", "/v1/leads", "POST /v1/leads"},
        {"GET", "/v1/leads/7", "GET /v1/leads/{lead} lead=7"},
        {"HEAD", "/v1/leads/7", "HEAD /v1/leads/{lead} lead=7"},
        {"GET", "/v1/leads/board", "GET /v1/leads/board"},
        {"POST", "/v1/leads/board/qualify", "POST /v1/leads/{lead}/qualify lead=board"},
        {"GET", "/v1/tasks/schema", "GET /v1/{module}/schema module=tasks"},
        {"GET", "/v1/leads/schema", "GET /v1/leads/{lead} lead=schema"},
    };
    for (const Row& row : rows) {
        INFO(row.method << " " << row.path);
        const Response response = ask(router, row.method, row.path);
        CHECK(response.status == 200);
        CHECK(response.body == row.body);
    }
}

TEST_CASE("an unknown path is 404 and a known path with another method is 405 with Allow") {
    Router router;
    add_sample_routes(router);
    for (const char* path :
         {"/v2", "/v1/leads/", "/v1/leads/7/", "/v1", "/v1/leads/7/qualify/x", "*"}) {
        INFO(path);
        CHECK(ask(router, "GET", path).status == 404);
    }
    const Response wrong_method = ask(router, "DELETE", "/v1/leads");
    CHECK(wrong_method.status == 405);
    CHECK(wrong_method.headers.get("allow") == "GET, HEAD, OPTIONS, POST");
    CHECK(wrong_method.route == "/v1/leads");
    CHECK(ask(router, "HEAD", "/v1/leads/7/qualify").status == 405);
    const Response options = ask(router, "OPTIONS", "/v1/leads/7/qualify");
    CHECK(options.status == 204);
    CHECK(options.headers.get("Allow") == "OPTIONS, POST");
    CHECK(ask(router, "OPTIONS", "*").status == 204);
}

TEST_CASE("the router lists its routes") {
    Router router;
    add_sample_routes(router);
    REQUIRE(router.routes().size() == 7);
    CHECK(router.routes()[1].operation == "leads.list");
    CHECK(router.routes()[1].pattern == "/v1/leads");
}

TEST_CASE("a problem is an RFC 9457 document") {
    Problem problem = Problem::of(problems::conflict, "version 4 was expected");
    problem.errors.push_back({"/name", "too_long", "at most 200 characters"});
    problem.extra["version"] = 5;
    problem.extra["status"] = "cannot replace a standard member";
    problem.retry_after = std::chrono::seconds(3);
    const Response response = to_response(problem);
    CHECK(response.status == 409);
    CHECK(response.headers.get("content-type") == "application/problem+json");
    CHECK(response.headers.get("retry-after") == "3");
    const boost::json::value body = boost::json::parse(response.body);
    CHECK(body.at("type").as_string() == "urn:bos:problem:conflict");
    CHECK(body.at("status").as_int64() == 409);
    CHECK(body.at("version").as_int64() == 5);
    CHECK(body.at("errors").at(0).at("pointer").as_string() == "/name");
}

TEST_CASE("every code of the gateway is there once") {
    std::set<std::string_view> codes;
    for (const ProblemKind& kind : problems::all()) {
        INFO(kind.code);
        CHECK(codes.insert(kind.code).second);
        CHECK(kind.status >= 400);
        CHECK_FALSE(kind.title.empty());
    }
}

}  // namespace bos::gateway
