#include "gateway/peer_client.h"

#include "schemas/base/assert.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <utility>

namespace bos::gateway {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

namespace {

constexpr auto quietly = asio::as_tuple(asio::use_awaitable);
/// The largest page of the largest rows, and more.
constexpr std::uint64_t response_bytes_max = 64u << 20;

/// RFC 9110 7.6.1, and what the sender's own connection needs.
constexpr std::array of_the_connection{
    std::string_view("Connection"), std::string_view("Content-Length"),
    std::string_view("Expect"),     std::string_view("Host"),
    std::string_view("Keep-Alive"), std::string_view("Proxy-Authorization"),
    std::string_view("TE"),         std::string_view("Trailer"),
    std::string_view("Upgrade"),    std::string_view("Transfer-Encoding"),
};
/// Of an answer; the rest is written anew by the server that passes it on.
constexpr std::array of_the_answer{
    std::string_view("Allow"),       std::string_view("Content-Type"),
    std::string_view("ETag"),        std::string_view("Idempotent-Replayed"),
    std::string_view("Location"),    std::string_view("Position"),
    std::string_view("Retry-After"), std::string_view("WWW-Authenticate"),
};

bool is_one_of(std::string_view name, const auto& names) {
    return std::ranges::any_of(names, [&](std::string_view each) { return same_name(each, name); });
}

/// RFC 3986 2.3: all but unreserved characters; `also` stay as they are.
void append_encoded(std::string& out, std::string_view text, std::string_view also) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~' ||
                           also.contains(c);
        if (plain) {
            out += c;
        } else {
            out += {'%', hex[byte >> 4], hex[byte & 15]};
        }
    }
}

http::request<http::string_body> message_of(const Request& request, const std::string& address) {
    http::request<http::string_body> message;
    message.method_string(request.method);
    message.target(target_of(request));
    message.version(11);
    message.set(http::field::host, address);
    for (const auto& [name, value] : request.headers.fields()) {
        if (!is_one_of(name, of_the_connection)) message.insert(name, value);
    }
    message.body() = request.body;
    message.prepare_payload();
    return message;
}

Response response_of(http::response<http::string_body> message) {
    Response response;
    response.status = static_cast<int>(message.result_int());
    for (const auto& field : message) {
        if (is_one_of(field.name_string(), of_the_answer))
            response.headers.add(field.name_string(), std::string(field.value()));
    }
    response.body = std::move(message.body());
    return response;
}

}  // namespace

std::string target_of(const Request& request) {
    std::string target;
    append_encoded(target, request.path, "/");
    char separator = '?';
    for (const auto& [name, value] : request.query.pairs()) {
        target += std::exchange(separator, '&');
        append_encoded(target, name, "");
        target += '=';
        append_encoded(target, value, "");
    }
    return target;
}

struct PeerClient::Connection {
    using Secure = beast::ssl_stream<beast::tcp_stream>;

    Connection(asio::any_io_executor executor, asio::ssl::context* tls) {
        if (tls != nullptr) {
            secure.emplace(beast::tcp_stream(std::move(executor)), *tls);
        } else {
            plain.emplace(std::move(executor));
        }
    }
    [[nodiscard]] beast::tcp_stream& socket() { return secure ? secure->next_layer() : *plain; }

    std::optional<beast::tcp_stream> plain;
    std::optional<Secure> secure;
    beast::flat_buffer buffer;
    bool used = false;  ///< an exchange went well over it
};

/// Connections of one thread.
struct PeerClient::Lane {
    struct Node {
        std::vector<std::unique_ptr<Connection>> idle;
        std::size_t in_use = 0;
        std::deque<asio::steady_timer*> waiting;  ///< for a connection, in the order they came
    };
    std::unordered_map<std::string, Node> nodes;
};

/// One of the connections that may be open at once.
class PeerClient::Place {
  public:
    explicit Place(Lane::Node& node) : node_(node) {}
    ~Place() {
        if (!taken_) return;
        --node_.in_use;
        if (node_.waiting.empty()) return;
        node_.waiting.front()->cancel();
        node_.waiting.pop_front();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    asio::awaitable<bool> take(std::size_t most, std::chrono::steady_clock::time_point until) {
        while (node_.in_use >= most) {
            asio::steady_timer turn(co_await asio::this_coro::executor, until);
            node_.waiting.push_back(&turn);
            const auto [error] = co_await turn.async_wait(quietly);
            if (!error) {
                std::erase(node_.waiting, &turn);
                co_return false;
            }
        }
        ++node_.in_use;
        taken_ = true;
        co_return true;
    }

  private:
    Lane::Node& node_;
    bool taken_ = false;
};

Result<std::unique_ptr<PeerClient>> PeerClient::open(
    PeerClientOptions options, const std::vector<asio::any_io_executor>& threads) {
    std::unique_ptr<asio::ssl::context> tls;
    if (options.tls) {
        tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
        boost::system::error_code error;
        if (options.authorities.empty()) {
            tls->set_default_verify_paths(error);
        } else {
            tls->load_verify_file(options.authorities, error);
        }
        if (error) {
            return fail(
                Code::invalid,
                "the certificates of other nodes' authorities do not read: " + error.message());
        }
        tls->set_verify_mode(asio::ssl::verify_peer);
    }
    auto client = std::unique_ptr<PeerClient>(new PeerClient(std::move(options), std::move(tls)));
    for (const asio::any_io_executor& thread : threads) {
        client->lanes_.emplace(&asio::query(thread, asio::execution::context),
                               std::make_unique<Lane>());
    }
    return client;
}

PeerClient::PeerClient(PeerClientOptions options, std::unique_ptr<asio::ssl::context> tls)
    : options_(std::move(options)), tls_(std::move(tls)) {}

PeerClient::~PeerClient() = default;

void PeerClient::close() {
    for (const auto& [context, lane] : lanes_) {
        for (auto& [address, node] : lane->nodes) node.idle.clear();
    }
}

asio::awaitable<std::unique_ptr<PeerClient::Connection>> PeerClient::connect(
    const std::string& address) {
    const auto executor = co_await asio::this_coro::executor;
    const std::size_t colon = address.rfind(':');
    if (colon == std::string::npos) co_return nullptr;
    std::string host = address.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    asio::ip::tcp::resolver resolver(executor);
    auto [unknown, found] =
        co_await resolver.async_resolve(host, address.substr(colon + 1), quietly);
    if (unknown) co_return nullptr;
    auto connection = std::make_unique<Connection>(executor, tls_.get());
    connection->socket().expires_after(options_.connect_timeout);
    const auto [refused, endpoint] = co_await connection->socket().async_connect(found, quietly);
    if (refused) co_return nullptr;
    connection->socket().socket().set_option(asio::ip::tcp::no_delay(true));
    if (connection->secure) {
        connection->secure->set_verify_callback(asio::ssl::host_name_verification(host));
        const auto [failed] =
            co_await connection->secure->async_handshake(asio::ssl::stream_base::client, quietly);
        if (failed) co_return nullptr;
    }
    co_return connection;
}

asio::awaitable<PeerClient::Attempt> PeerClient::send(std::string address, const Request& request,
                                                      std::chrono::milliseconds timeout) {
    const auto executor = co_await asio::this_coro::executor;
    const auto lane = lanes_.find(&asio::query(executor, asio::execution::context));
    BOS_ASSERT(lane != lanes_.end());
    const auto until = std::chrono::steady_clock::now() + timeout;
    Lane::Node& node = lane->second->nodes[address];
    Place place(node);
    if (!co_await place.take(options_.connections_max, until)) co_return Attempt{};

    const auto message = message_of(request, address);
    bool may_have_arrived = false;
    while (true) {
        std::unique_ptr<Connection> connection;
        if (!node.idle.empty()) {
            connection = std::move(node.idle.back());
            node.idle.pop_back();
        } else {
            connection = co_await connect(address);
        }
        if (!connection) co_return Attempt{.may_have_arrived = may_have_arrived};
        connection->socket().expires_at(until);
        http::response_parser<http::string_body> parser;
        parser.body_limit(response_bytes_max);
        if (request.method == "HEAD") parser.skip(true);
        const auto exchange = [&](auto& stream) -> asio::awaitable<bool> {
            const auto [not_sent, sent] = co_await http::async_write(stream, message, quietly);
            may_have_arrived = true;
            if (not_sent) co_return false;
            const auto [not_read, read] =
                co_await http::async_read(stream, connection->buffer, parser, quietly);
            co_return !not_read;
        };
        bool answered = false;
        if (connection->secure) {
            answered = co_await exchange(*connection->secure);
        } else {
            answered = co_await exchange(*connection->plain);
        }
        if (answered) {
            connection->socket().expires_never();
            const bool keep = parser.keep_alive();
            connection->used = true;
            if (keep) node.idle.push_back(std::move(connection));
            co_return Attempt{.response = response_of(parser.release()), .may_have_arrived = true};
        }
        // The other side may have closed a connection that stood idle; a new one is no repeat of
        // what went wrong, and the request's key makes it harmless.
        const bool idle_too_long = connection->used;
        if (!idle_too_long || std::chrono::steady_clock::now() >= until) {
            co_return Attempt{.may_have_arrived = may_have_arrived};
        }
    }
}

}  // namespace bos::gateway
