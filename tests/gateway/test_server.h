#pragma once

#include "gateway/http_server.h"
#include "gateway/problem.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <array>
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
        : server_({contexts_[0].get_executor(), contexts_[1].get_executor()}, std::move(options),
                  std::move(handler), observer) {
        const auto started = server_.start();
        REQUIRE_MESSAGE(started, (started ? "" : started.error().detail));
        for (auto& context : contexts_) threads_.emplace_back([&context] { context.run(); });
    }
    ~TestServer() {
        server_.stop(std::chrono::seconds(10));
        for (auto& context : contexts_) context.stop();
        for (std::thread& thread : threads_) thread.join();
    }
    TestServer(const TestServer&) = delete;
    TestServer& operator=(const TestServer&) = delete;

    [[nodiscard]] std::uint16_t port() const { return server_.port(); }
    [[nodiscard]] Server& server() { return server_; }

  private:
    using Work = boost::asio::executor_work_guard<boost::asio::io_context::executor_type>;

    std::array<boost::asio::io_context, 2> contexts_;
    std::array<Work, 2> work_{Work(contexts_[0].get_executor()), Work(contexts_[1].get_executor())};
    Server server_;
    std::vector<std::thread> threads_;
};

}  // namespace bos::gateway
