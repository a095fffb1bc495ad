#pragma once

#include "gateway/http_server.h"
#include "gateway/problem.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace bos::gateway {

/// Answers 200 with "METHOD path body-size".
inline boost::asio::awaitable<Response> echo(Request request) {
    co_return text_response(
        200, "text/plain",
        request.method + " " + request.path + " " + std::to_string(request.body.size()));
}

inline ServerOptions test_options() {
    ServerOptions options;
    options.port = 0;
    return options;
}

/// A server on a free loopback port with two threads.
class TestServer {
  public:
    explicit TestServer(ServerOptions options = test_options(), Handler handler = echo,
                        ServerObserver* observer = nullptr)
        : work_(context_.get_executor()),
          server_({context_.get_executor()}, std::move(options), std::move(handler), observer) {
        const auto started = server_.start();
        REQUIRE_MESSAGE(started, (started ? "" : started.error().detail));
        for (int i = 0; i < 2; ++i) threads_.emplace_back([this] { context_.run(); });
    }
    ~TestServer() {
        server_.stop(std::chrono::seconds(10));
        work_.reset();
        context_.stop();
        for (std::thread& thread : threads_) thread.join();
    }
    TestServer(const TestServer&) = delete;
    TestServer& operator=(const TestServer&) = delete;

    [[nodiscard]] std::uint16_t port() const { return server_.port(); }
    [[nodiscard]] Server& server() { return server_; }

  private:
    boost::asio::io_context context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    Server server_;
    std::vector<std::thread> threads_;
};

}  // namespace bos::gateway
