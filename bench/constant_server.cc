#include "bench/constant_server.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <string>
#include <thread>

namespace bos::bench {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr std::size_t threads = 2;  // as bos serve

asio::awaitable<void> serve(tcp::socket socket, const std::string& body) {
    boost::beast::flat_buffer buffer;
    http::response<http::string_body> response(http::status::ok, 11);
    response.set(http::field::content_type, "application/json");
    response.body() = body;
    response.prepare_payload();
    try {
        while (true) {
            http::request<http::string_body> request;
            co_await http::async_read(socket, buffer, request, asio::use_awaitable);
            co_await http::async_write(socket, response, asio::use_awaitable);
        }
    } catch (const boost::system::system_error&) {
        // The client has gone.
    }
}

asio::awaitable<void> accept(tcp::acceptor& acceptor, std::array<asio::io_context, threads>& loops,
                             const std::string& body) {
    for (std::size_t i = 0;; ++i) {
        asio::io_context& loop = loops[i % threads];
        tcp::socket socket = co_await acceptor.async_accept(loop, asio::use_awaitable);
        socket.set_option(tcp::no_delay(true));
        asio::co_spawn(loop, serve(std::move(socket), body), asio::detached);
    }
}

}  // namespace

int run_constant_server(std::size_t body_bytes) {
    const std::string body(body_bytes, 'x');
    std::array<asio::io_context, threads> loops{asio::io_context(1), asio::io_context(1)};
    tcp::acceptor acceptor(loops[0], tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    asio::co_spawn(loops[0], accept(acceptor, loops, body), asio::detached);
    fmt::print("{}\n", acceptor.local_endpoint().port());
    std::fflush(stdout);
    const std::jthread other([&] {
        const auto work = asio::make_work_guard(loops[1]);
        loops[1].run();
    });
    loops[0].run();
    return 0;
}

}  // namespace bos::bench
