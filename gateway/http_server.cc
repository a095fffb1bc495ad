#include "gateway/http_server.h"

#include "gateway/connection.h"
#include "gateway/peer_network.h"
#include "gateway/tls_context.h"
#include "schemas/base/assert.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <typeinfo>
#include <unordered_map>
#include <utility>

namespace bos::gateway {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto quietly = asio::as_tuple(asio::use_awaitable);

ServerObserver& silent_observer() {
    static ServerObserver observer;
    return observer;
}

bool is_out_of_resources(const error_code& error) {
    return error == asio::error::no_descriptors || error == asio::error::no_memory ||
           error == asio::error::no_buffer_space ||
           error == boost::system::errc::too_many_files_open_in_system;
}

/// Waits for neither the peer nor the buffer: who is over the limit costs nothing more.
void turn_away(tcp::socket& socket, bool is_encrypted) {
    static constexpr std::string_view answer =
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n"
        "Retry-After: 5\r\n\r\n";
    error_code ignored;
    if (!is_encrypted) {
        socket.non_blocking(true, ignored);
        socket.write_some(asio::buffer(answer.data(), answer.size()), ignored);
        socket.shutdown(tcp::socket::shutdown_send, ignored);
    }
    socket.close(ignored);
}

}  // namespace

/// Lives as long as a connection or the accept loop needs it.
class Server::State : public std::enable_shared_from_this<State> {
  public:
    State(std::vector<asio::any_io_executor> executors, ServerOptions options, Handler handler,
          ServerObserver* observer)
        : executors_(std::move(executors)),
          accept_executor_(executors_.front()),
          acceptor_(accept_executor_),
          accept_timer_(accept_executor_),
          context_(std::make_shared<ConnectionContext>()) {
        context_->options = std::move(options);
        context_->handler = std::move(handler);
        context_->observer = observer == nullptr ? &silent_observer() : observer;
    }

    Result<void> start() {
        const ServerOptions& options = context_->options;
        if (options.tls) {
            BOS_TRY(tls_, tls_context(*options.tls));
        }
        error_code error;
        const asio::ip::address address = asio::ip::make_address(options.address, error);
        if (error) return fail(Code::invalid, fmt::format("not an address: {}", options.address));
        const tcp::endpoint endpoint(address, options.port);
        acceptor_.open(endpoint.protocol(), error);
        if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
        if (!error) acceptor_.bind(endpoint, error);
        if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
        if (error) {
            return fail(Code::unavailable,
                        fmt::format("cannot listen on {} port {}: {}", options.address,
                                    options.port, error.message()));
        }
        port_ = acceptor_.local_endpoint(error).port();
        {
            const std::scoped_lock lock(mutex_);
            is_accepting_ = true;
        }
        asio::co_spawn(accept_executor_, accept_connections(shared_from_this()), asio::detached);
        return {};
    }

    [[nodiscard]] std::uint16_t port() const { return port_; }

    [[nodiscard]] std::size_t connections() {
        const std::scoped_lock lock(mutex_);
        return connections_.size();
    }

    bool stop(std::chrono::milliseconds deadline) {
        stop_accepting();
        for (const auto& connection : live_connections()) connection->stop();
        if (all_ended_within(deadline)) return true;
        for (const auto& connection : live_connections()) connection->close_now();
        // A handler that hangs cannot be ended from outside; the others end at once.
        all_ended_within(std::chrono::milliseconds(1000));
        return false;
    }

    void close_everything() {
        stop_accepting();
        for (const auto& connection : live_connections()) connection->close_now();
    }

  private:
    static asio::awaitable<void> accept_connections(std::shared_ptr<State> self) {
        std::size_t next = 0;
        while (!self->context_->stopping) {
            const asio::any_io_executor executor =
                self->executors_[next++ % self->executors_.size()];
            auto [error, socket] = co_await self->acceptor_.async_accept(executor, quietly);
            if (!error) {
                self->admit(std::move(socket), executor);
            } else if (is_out_of_resources(error)) {
                spdlog::warn("gateway: cannot accept: {}", error.message());
                self->accept_timer_.expires_after(self->context_->options.accept_pause);
                co_await self->accept_timer_.async_wait(quietly);
            } else if (error == asio::error::operation_aborted ||
                       error == asio::error::bad_descriptor) {
                break;
            }  // else the client left before it was accepted
        }
        error_code ignored;
        self->acceptor_.close(ignored);
        self->accepting_ended();
    }

    void accepting_ended() {
        const std::scoped_lock lock(mutex_);
        is_accepting_ = false;
        all_ended_.notify_all();
    }

    void admit(tcp::socket socket, const asio::any_io_executor& executor) {
        error_code error;
        const tcp::endpoint endpoint = socket.remote_endpoint(error);
        if (error) return;
        const std::string peer = plain_address(endpoint.address()).to_string();
        const std::string network = peer_network(peer);
        if (!take_place(network)) {
            context_->observer->refused("too_many_connections");
            turn_away(socket, tls_ != nullptr);
            return;
        }
        socket.set_option(tcp::no_delay(true), error);
        std::unique_ptr<ByteStream> stream =
            tls_ ? tls_stream(std::move(socket), *tls_) : plain_stream(std::move(socket));
        const auto connection =
            std::make_shared<Connection>(context_, std::move(stream), executor, peer);
        {
            const std::scoped_lock lock(mutex_);
            connections_.emplace(connection.get(), connection);
        }
        context_->observer->connection_opened();
        // stop() may have run between accepting and registering; then it did not see this one.
        if (context_->stopping) connection->close_now();
        asio::co_spawn(
            executor, Connection::serve(connection),
            [self = shared_from_this(), connection, network](const std::exception_ptr& exception) {
                // Holds the connection, so that its address stays its own key.
                self->connection_ended(connection.get(), network, exception);
            });
    }

    bool take_place(const std::string& network) {
        const std::scoped_lock lock(mutex_);
        if (connections_.size() >= context_->options.connections_max) return false;
        std::size_t& of_peer = per_peer_[network];
        if (of_peer >= context_->options.connections_per_peer_max) return false;
        ++of_peer;
        return true;
    }

    void connection_ended(const Connection* key, const std::string& network,
                          const std::exception_ptr& exception) {
        if (exception) {
            try {
                std::rethrow_exception(exception);
            } catch (const std::exception& caught) {
                spdlog::error("gateway: a connection ended with {}", typeid(caught).name());
            }
        }
        const std::scoped_lock lock(mutex_);
        connections_.erase(key);
        const auto of_peer = per_peer_.find(network);
        if (--of_peer->second == 0) per_peer_.erase(of_peer);
        // Told under the lock: once its place is free, and before stop() may return.
        context_->observer->connection_closed();
        all_ended_.notify_all();
    }

    void stop_accepting() {
        context_->stopping = true;
        asio::post(accept_executor_, [self = shared_from_this()] {
            error_code ignored;
            self->acceptor_.close(ignored);
            self->accept_timer_.cancel();
        });
    }

    std::vector<std::shared_ptr<Connection>> live_connections() {
        const std::scoped_lock lock(mutex_);
        std::vector<std::shared_ptr<Connection>> live;
        for (const auto& [key, weak] : connections_) {
            if (auto connection = weak.lock()) live.push_back(std::move(connection));
        }
        return live;
    }

    bool all_ended_within(std::chrono::milliseconds time) {
        std::unique_lock lock(mutex_);
        return all_ended_.wait_for(lock, time,
                                   [this] { return connections_.empty() && !is_accepting_; });
    }

    // Constant after start().
    const std::vector<asio::any_io_executor> executors_;
    const asio::any_io_executor accept_executor_;
    std::unique_ptr<asio::ssl::context> tls_;
    std::uint16_t port_ = 0;

    // Touched only on the accepting thread (and by start()).
    tcp::acceptor acceptor_;
    asio::steady_timer accept_timer_;

    const std::shared_ptr<ConnectionContext> context_;

    std::mutex mutex_;
    std::condition_variable all_ended_;
    /// While it is true a socket of one executor waits for its connection in an operation of
    /// another one, which must not outlive it. Guarded by mutex_.
    bool is_accepting_ = false;
    std::unordered_map<const Connection*, std::weak_ptr<Connection>> connections_;
    std::unordered_map<std::string, std::size_t> per_peer_;
};

Server::Server(std::vector<asio::any_io_executor> executors, ServerOptions options, Handler handler,
               ServerObserver* observer) {
    BOS_ASSERT(!executors.empty());
    state_ = std::make_shared<State>(std::move(executors), std::move(options), std::move(handler),
                                     observer);
}

Server::~Server() { state_->close_everything(); }

Result<void> Server::start() { return state_->start(); }

std::uint16_t Server::port() const { return state_->port(); }

std::size_t Server::connections() const { return state_->connections(); }

bool Server::stop(std::chrono::milliseconds deadline) { return state_->stop(deadline); }

}  // namespace bos::gateway
