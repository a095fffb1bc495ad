#include "gateway/remote_rebuild.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <chrono>
#include <thread>

namespace bos::gateway {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace json = boost::json;

namespace {

struct Answer {
    unsigned status = 0;
    json::object body;
};

/// One request on a connection of its own: a rebuild asks a few times a second.
Result<Answer> ask(const RemoteNode& node, http::verb method, std::string_view path) {
    boost::system::error_code error;
    asio::io_context io;
    asio::ip::tcp::socket socket(io);
    const auto address = asio::ip::make_address(node.address, error);
    if (error) return fail(Code::invalid, "--address must be a numeric address");
    socket.connect({address, node.port}, error);
    if (error) {
        return fail(Code::unavailable, fmt::format("nothing answers on {}:{}: {}", node.address,
                                                   node.port, error.message()));
    }
    http::request<http::string_body> request{method, path, 11};
    request.set(http::field::host, fmt::format("{}:{}", node.address, node.port));
    request.set(http::field::authorization, "Bearer " + node.api_key);
    request.set(http::field::connection, "close");
    request.prepare_payload();
    http::write(socket, request, error);
    boost::beast::flat_buffer buffer;
    http::response<http::string_body> response;
    if (!error) http::read(socket, buffer, response, error);
    if (error) return fail(Code::unavailable, "the node did not answer: " + error.message());
    const json::value body = json::parse(response.body(), error);
    if (error || !body.is_object()) return fail(Code::unavailable, "the node's answer is not JSON");
    return Answer{.status = response.result_int(), .body = body.get_object()};
}

std::string text_of(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                  : std::string();
}

std::uint64_t number_of(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_int64() ? static_cast<std::uint64_t>(value->get_int64())
                                                 : 0;
}

}  // namespace

Result<void> rebuild_remotely(
    const RemoteNode& node,
    const std::function<void(std::uint64_t done, std::uint64_t all)>& progress) {
    BOS_TRY(const Answer started, ask(node, http::verb::post, "/v1/views/rebuild"));
    if (started.status != 202) {
        return fail(Code::unavailable,
                    text_of(started.body, "title") + " " + text_of(started.body, "detail"));
    }
    while (true) {
        BOS_TRY(const Answer views, ask(node, http::verb::get, "/v1/views"));
        const json::value* rebuild = views.body.if_contains("rebuild");
        if (views.status != 200 || rebuild == nullptr || !rebuild->is_object()) {
            return fail(Code::unavailable,
                        "the node lost sight of the rebuild; was it started anew?");
        }
        const json::object& state = rebuild->get_object();
        progress(number_of(state, "done"), number_of(state, "all"));
        if (const std::string failure = text_of(state, "failure"); !failure.empty()) {
            return fail(Code::unavailable, failure);
        }
        const json::value* running = state.if_contains("running");
        if (running == nullptr || !running->is_bool() || !running->get_bool()) return {};
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
}

}  // namespace bos::gateway
