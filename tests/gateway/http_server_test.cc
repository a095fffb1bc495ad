#include "gateway/http_server.h"

#include "gateway/router.h"
#include "tests/gateway/raw_client.h"
#include "tests/gateway/server_events.h"
#include "tests/gateway/test_server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <functional>
#include <future>
#include <set>
#include <stdexcept>
#include <string>
#include <sys/resource.h>

namespace bos::gateway {

namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

std::string get(const std::string& path, const std::string& lines = "") {
    return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n";
}

std::string post(const std::string& body) {
    return "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

std::string code_of(const Answer& answer) {
    return std::string(boost::json::parse(answer.body).as_object().at("code").as_string());
}

/// The first request takes longest, so that answers out of order would show.
boost::asio::awaitable<Response> slow_first(Request request) {
    if (request.path == "/1") {
        boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, 30ms);
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
    boost::asio::awaitable<Response> answer = echo(std::move(request));
    co_return co_await std::move(answer);
}

boost::asio::awaitable<Response> split_the_answer(Request) {
    Response response;
    response.headers.set("Location", "/x\r\nSet-Cookie: a=b");
    co_return response;
}

boost::asio::awaitable<Response> throw_something(Request request) {
    if (!request.path.empty()) throw std::runtime_error("secret of " + request.path);
    co_return Response{};
}

boost::asio::awaitable<Response> big_answer(Request) {
    co_return text_response(200, "text/plain", std::string(std::size_t{64} << 20, 'x'));
}

/// A handler that says when it has begun and ends when it is told.
class Gate {
  public:
    boost::asio::awaitable<Response> pass(Request request) {
        boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor,
                                        std::chrono::steady_clock::time_point::max());
        timer_ = &timer;
        begun_.set_value();
        co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
        co_return text_response(200, "text/plain", request.path);
    }
    void wait_until_begun() { begun_.get_future().wait(); }
    void open() {
        boost::asio::post(timer_->get_executor(), [timer = timer_] { timer->cancel(); });
    }

  private:
    std::promise<void> begun_;
    boost::asio::steady_timer* timer_ = nullptr;
};

void add_routes(Router& router) {
    router.add("GET /v1/leads/{lead}", echo);
    router.add("POST /v1/leads", echo);
}

}  // namespace

TEST_CASE("requests on one connection are answered one by one, in order") {
    TestServer server(test_options(), slow_first);
    RawClient client(server.port());
    client.send(
        get("/1") + post("hello") +
        "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" +
        "\r\n" + get("/4"));
    for (const char* body : {"GET /1 0", "POST /p 5", "POST /3 3", "GET /4 0"}) {
        const auto answer = client.read_answer();
        REQUIRE(answer);
        CHECK(answer->status == 200);
        CHECK(answer->body == body);
    }
    const auto later = client.ask(get("/5"));
    REQUIRE(later);
    CHECK(later->body == "GET /5 0");
}

TEST_CASE("a request may come byte by byte") {
    TestServer server;
    RawClient client(server.port());
    for (const char c : post("hello")) client.send({&c, 1});
    const auto answer = client.read_answer();
    REQUIRE(answer);
    CHECK(answer->body == "POST /p 5");
}

TEST_CASE("every answer has its own request id and the browser's safety headers") {
    TestServer server;
    RawClient client(server.port());
    std::set<std::string> ids;
    for (const std::string& request : {get("/a"), get("/b"), get("/%zz")}) {
        const auto answer = client.ask(request);
        REQUIRE(answer);
        const auto id = parse_uuid(answer->headers.get("request-id").value_or(""));
        REQUIRE(id);
        CHECK((id->bytes[6] >> 4) == 7);
        ids.insert(to_string(*id));
        CHECK(answer->headers.get("x-content-type-options") == "nosniff");
        CHECK(answer->headers.get("cache-control") == "no-store");
        CHECK(answer->headers.has("date"));
        CHECK_FALSE(answer->headers.has("server"));
    }
    CHECK(ids.size() == 3);
}

TEST_CASE("a connection ends when the client wants it") {
    TestServer server;
    for (const std::string& request :
         {get("/", "Connection: close\r\n"), "GET / HTTP/1.0\r\nHost: a\r\n\r\n"s}) {
        RawClient client(server.port());
        const auto answer = client.ask(request + get("/never"));
        REQUIRE(answer);
        CHECK(answer->status == 200);
        CHECK(answer->headers.get("connection") == "close");
        CHECK(client.read_all().empty());
        CHECK(client.closed());
    }
    RawClient old(server.port());
    const auto answer =
        old.ask("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n" + get("/next"));
    REQUIRE(answer);
    CHECK(answer->headers.get("connection") == "keep-alive");
    CHECK(old.read_answer());
}

TEST_CASE("a refused request is answered, and nothing after it is read") {
    ServerEvents events;
    TestServer server(test_options(), echo, &events);
    RawClient client(server.port());
    client.send(
        "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" +
        get("/smuggled"));
    const auto answer = client.read_answer();
    REQUIRE(answer);
    CHECK(answer->status == 400);
    CHECK(code_of(*answer) == "bad_framing");
    CHECK(answer->headers.get("connection") == "close");
    client.end_sending();
    CHECK(client.read_all().empty());
    CHECK(client.closed());
    CHECK(events.refusals() == std::vector<std::string>{"bad_framing"});
}

TEST_CASE("a body over the limit is refused before it is read") {
    ServerOptions options = test_options();
    options.body_bytes_max = 10;
    TestServer server(options);
    struct Row {
        const char* what;
        std::string request;
        int status;
    };
    const Row rows[] = {
        {"fits", post("0123456789"), 200},
        {"too long", post("0123456789a"), 413},
        {"too long, announced", "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n",
         413},
        {"too long, and the client waits for leave",
         "POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n", 413},
        {"too long, in chunks",
         "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nB\r\n", 413},
    };
    for (const Row& row : rows) {
        INFO(row.what);
        RawClient client(server.port());
        const auto answer = client.ask(row.request);
        REQUIRE(answer);
        CHECK(answer->status == row.status);
        CHECK(answer->headers.has("connection") == (row.status == 413));
    }
}

TEST_CASE("a client that asks for leave gets it, then its answer") {
    TestServer server;
    RawClient client(server.port());
    const auto leave = client.ask(
        "POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    REQUIRE(leave);
    CHECK(leave->status == 100);
    const auto answer = client.ask("hello");
    REQUIRE(answer);
    CHECK(answer->status == 200);
    CHECK(answer->body == "POST /p 5");
    // With the body at hand there is nothing to wait for.
    const auto at_once = client.ask(
        "POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello");
    REQUIRE(at_once);
    CHECK(at_once->status == 200);
}

TEST_CASE("slow clients are cut off") {
    ServerOptions options = test_options();
    options.header_timeout = 50ms;
    options.body_rate_grace = 50ms;
    options.keep_alive_timeout = 50ms;
    TestServer server(options);
    SUBCASE("in the header") {
        RawClient client(server.port());
        const auto answer = client.ask("GET / HTTP/1.1\r\nHos");
        REQUIRE(answer);
        CHECK(answer->status == 408);
        client.end_sending();
        CHECK(client.read_all().empty());
        CHECK(client.closed());
    }
    SUBCASE("in the body") {
        for (const char* framing : {"Content-Length: 10", "Transfer-Encoding: chunked"}) {
            RawClient client(server.port());
            const auto answer =
                client.ask("POST / HTTP/1.1\r\nHost: a\r\n"s + framing + "\r\n\r\n3\r\n");
            REQUIRE(answer);
            CHECK(answer->status == 408);
            client.end_sending();
            CHECK(client.read_all().empty());
        }
    }
    SUBCASE("between requests, without a word") {
        RawClient client(server.port());
        CHECK(client.ask(get("/"))->status == 200);
        CHECK(client.read_all().empty());
        CHECK(client.closed());
    }
    SUBCASE("before the first request, without a word") {
        RawClient client(server.port());
        CHECK(client.read_all().empty());
        CHECK(client.closed());
    }
}

TEST_CASE("a body has an end in time, however steadily it comes") {
    ServerOptions options = test_options();
    options.body_timeout = 50ms;
    TestServer server(options);
    RawClient client(server.port());
    const auto answer = client.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx");
    REQUIRE(answer);
    CHECK(answer->status == 408);
}

TEST_CASE("a client that does not read its answer is cut off") {
    ServerOptions options = test_options();
    options.write_timeout = 50ms;
    ServerEvents events;
    TestServer server(options, big_answer, &events);
    RawClient client(server.port());
    client.send(get("/"));
    CHECK(events.wait_for_closed(1));
    CHECK(client.read_all().size() < std::size_t{64} << 20);
    CHECK(client.closed());
}

TEST_CASE("a request that the client breaks off is never answered with success") {
    TestServer server;
    for (const std::string& part :
         {"GET / HTTP/1.1\r\nHost: a\r\n"s, post("hello").substr(0, post("hello").size() - 1),
          "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"s}) {
        INFO(part);
        RawClient client(server.port());
        client.send(part);
        client.end_sending();
        const auto answer = client.read_answer();
        REQUIRE(answer);
        CHECK(answer->status == 400);
        CHECK(code_of(*answer) == "incomplete_request");
        CHECK(client.read_all().empty());
        CHECK(client.closed());
    }
    RawClient silent(server.port());
    silent.end_sending();
    CHECK(silent.read_all().empty());
}

TEST_CASE("one peer has so many connections, and gets a place back when one ends") {
    ServerOptions options = test_options();
    SUBCASE("of its own") { options.connections_per_peer_max = 2; }
    SUBCASE("of all") { options.connections_max = 2; }
    ServerEvents events;
    TestServer server(options, echo, &events);
    RawClient first(server.port());
    CHECK(first.ask(get("/"))->status == 200);
    {
        RawClient second(server.port());
        CHECK(second.ask(get("/"))->status == 200);
        RawClient third(server.port());
        const std::string answer = third.read_all();
        CHECK(third.closed());
        CHECK((answer.empty() || answer.starts_with("HTTP/1.1 503")));
        CHECK(server.server().connections() == 2);
        CHECK(events.refusals() == std::vector<std::string>{"too_many_connections"});
    }
    CHECK(events.wait_for_closed(1));
    RawClient fourth(server.port());
    const auto answer = fourth.ask(get("/"));
    REQUIRE(answer);
    CHECK(answer->status == 200);
}

TEST_CASE("a server without file descriptors waits for one") {
    ServerOptions options = test_options();
    options.accept_pause = 5ms;
    TestServer server(options);
    RawClient client;
    CHECK(client.connect(server.port()) == true);
    CHECK(client.ask(get("/"))->status == 200);

    RawClient waiting;  // has its descriptor before there are none
    rlimit old_limit{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &old_limit) == 0);
    rlimit none = old_limit;
    none.rlim_cur = 3;  // every open descriptor has a higher number than is allowed
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    CHECK(waiting.connect(server.port()));
    waiting.send(get("/"));
    CHECK(client.ask(get("/still"))->status == 200);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &old_limit) == 0);
    const auto answer = waiting.read_answer();
    REQUIRE(answer);
    CHECK(answer->status == 200);
}

TEST_CASE("routes, HEAD and methods through the server") {
    Router router;
    add_routes(router);
    TestServer server(test_options(), std::bind_front(&Router::handle, &router));
    RawClient client(server.port());
    const auto found = client.ask(get("/v1/leads/7"));
    REQUIRE(found);
    CHECK(found->body == "GET /v1/leads/7 0");
    const auto head = client.ask("HEAD /v1/leads/7 HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD");
    REQUIRE(head);
    CHECK(head->status == 200);
    CHECK(head->headers.get("content-length") == "18");
    CHECK(head->body.empty());
    const auto missing = client.ask(get("/v1/none"));
    REQUIRE(missing);
    CHECK(missing->status == 404);
    CHECK(code_of(*missing) == "not_found");
    const auto wrong = client.ask("DELETE /v1/leads HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(wrong);
    CHECK(wrong->status == 405);
    CHECK(wrong->headers.get("allow") == "OPTIONS, POST");
    const auto options = client.ask("OPTIONS /v1/leads HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(options);
    CHECK(options->status == 204);
    CHECK_FALSE(options->headers.has("content-length"));
    // None of these has cost the connection.
    CHECK(client.ask(get("/v1/leads/8")));
}

TEST_CASE("a handler's mistake is 500 and tells nothing") {
    SUBCASE("an answer that would split") {
        TestServer server(test_options(), split_the_answer);
        RawClient client(server.port());
        client.send(get("/"));
        client.end_sending();
        const std::string bytes = client.read_all();
        CHECK(bytes.starts_with("HTTP/1.1 500"));
        CHECK(bytes.find("Set-Cookie") == std::string::npos);
    }
    SUBCASE("an exception") {
        TestServer server(test_options(), throw_something);
        RawClient client(server.port());
        const auto answer = client.ask(get("/card-number"));
        REQUIRE(answer);
        CHECK(answer->status == 500);
        CHECK(answer->body.find("card-number") == std::string::npos);
        CHECK(client.ask(get("/again")));
    }
}

TEST_CASE("a WebSocket is not available yet") {
    TestServer server;
    RawClient client(server.port());
    const auto answer = client.ask(get("/", "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
    REQUIRE(answer);
    CHECK(answer->status == 501);
    CHECK(code_of(*answer) == "websocket_not_available");
}

TEST_CASE("a server that stops ends what it has begun and takes nothing new") {
    Gate gate;
    ServerEvents events;
    TestServer server(test_options(), std::bind_front(&Gate::pass, &gate), &events);
    RawClient idle(server.port());
    RawClient busy(server.port());
    CHECK(events.wait_for_opened(2));
    busy.send(get("/in-flight") + get("/too-late"));
    gate.wait_until_begun();

    auto stopped = std::async(std::launch::async, [&] { return server.server().stop(20s); });
    CHECK(idle.read_all().empty());
    CHECK(idle.closed());
    gate.open();
    const auto answer = busy.read_answer();
    REQUIRE(answer);
    CHECK(answer->body == "/in-flight");
    CHECK(answer->headers.get("connection") == "close");
    busy.end_sending();
    CHECK(busy.read_all().empty());
    CHECK(stopped.get());
    CHECK(server.server().connections() == 0);
    RawClient late;
    CHECK_FALSE(late.connect(server.port()));
}

TEST_CASE("a server that may not wait cuts what is left and says so") {
    Gate gate;
    TestServer server(test_options(), std::bind_front(&Gate::pass, &gate));
    RawClient client(server.port());
    client.send(get("/hangs"));
    gate.wait_until_begun();
    CHECK_FALSE(server.server().stop(10ms));
    gate.open();
    CHECK(client.read_all().empty());
}

TEST_CASE("a server that cannot listen says why") {
    boost::asio::io_context context;
    ServerOptions options = test_options();
    options.address = "localhost";
    Server nameless({context.get_executor()}, options, echo);
    CHECK(nameless.start().error().code == Code::invalid);

    TestServer other;
    options = test_options();
    options.port = other.port();
    Server second({context.get_executor()}, options, echo);
    CHECK(second.start().error().code == Code::unavailable);

    options = test_options();
    options.tls = TlsFiles{"/nonexistent/chain.pem", "/nonexistent/key.pem"};
    Server keyless({context.get_executor()}, options, echo);
    CHECK(keyless.start().error().code == Code::invalid);
}

}  // namespace bos::gateway
