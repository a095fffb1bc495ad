#pragma once

#include "gateway/framing_guard.h"
#include "gateway/http.h"
#include "schemas/base/result.h"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bos::gateway {

/// PEM files: the certificate with its chain, and its private key.
struct TlsFiles {
    std::string certificate_chain;
    std::string private_key;
};

struct ServerOptions {
    std::string address =
        "127.0.0.1";              ///< numeric; the loopback, until somebody opens it on purpose
    std::uint16_t port = 8080;    ///< 0 = any free one, see Server::port()
    std::optional<TlsFiles> tls;  ///< absent = plain HTTP, for loopback or behind a proxy

    GuardLimits guard;
    /// A command is small; imports come in pieces.
    std::size_t body_bytes_max = std::size_t{1} << 20;

    /// An honest client needs a few round trips; a slow attacker holds a slot for this long.
    std::chrono::milliseconds tls_handshake_timeout{10'000};
    /// From a request's first byte to the end of its header block.
    std::chrono::milliseconds header_timeout{10'000};
    /// For the whole body, however fast.
    std::chrono::milliseconds body_timeout{60'000};
    /// A body slower than this is an attack or a dead line. Counted after the grace time.
    std::size_t body_bytes_per_second_min = 1024;
    std::chrono::milliseconds body_rate_grace{5'000};
    /// Between requests. Longer than the usual poll interval of a client, shorter than a proxy's
    /// patience.
    std::chrono::milliseconds keep_alive_timeout{60'000};
    /// For one whole answer.
    std::chrono::milliseconds write_timeout{30'000};
    /// How long the last answer of a connection may be read before the socket closes: closing with
    /// unread input resets the connection and can destroy the answer on its way (RFC 9112 9.6).
    std::chrono::milliseconds linger_timeout{2'000};

    /// About 12 KiB each: 240 MiB.
    std::size_t connections_max = 20'000;
    /// Per IPv4 address or IPv6 /64. More than a browser or an office's address translation needs.
    std::size_t connections_per_peer_max = 100;
    /// When no file descriptor is left, accepting again at once would spin.
    std::chrono::milliseconds accept_pause{100};
};

/// Told about what happens, for metrics. Called on the connections' threads, sometimes under the
/// server's lock: thread-safe, short, and without a call back into the server.
class ServerObserver {
  public:
    virtual ~ServerObserver() = default;
    virtual void connection_opened() {}
    virtual void connection_closed() {}
    /// Refused before or instead of a handler; `code` is that of the problem.
    virtual void refused(std::string_view /*code*/) {}
    virtual void bytes_received(std::size_t /*bytes*/) {}
    virtual void bytes_sent(std::size_t /*bytes*/) {}
    virtual void request_started() {}
    /// Paired with request_started. `route` is the template that answered, or empty.
    virtual void request_finished(std::string_view /*method*/, std::string_view /*route*/,
                                  int /*status*/, std::chrono::nanoseconds /*duration*/) {}
};

/// HTTP/1.1 over TCP or TLS. One request at a time per connection, answers in order. Every request
/// has passed the framing guard and a second parser before a handler sees it. Thread-safe.
class Server {
  public:
    /// Connections are spread over `executors`, each of which has one thread that runs it (an
    /// io_context of its own). `observer` may be null; it and what the handler refers to must
    /// outlive the executors' work.
    Server(std::vector<boost::asio::any_io_executor> executors, ServerOptions options,
           Handler handler, ServerObserver* observer = nullptr);
    /// Closes everything at once; call stop() before to be polite.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Listens. invalid: the address or the TLS files; unavailable: the port is taken or not
    /// allowed.
    [[nodiscard]] Result<void> start();
    /// The port that start() got.
    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] std::size_t connections() const;

    /// Accepts no more, closes idle connections, lets requests in flight end, and blocks until they
    /// have or `deadline` has passed; then closes what is left. True when nothing had to be cut.
    /// Never from a thread that runs the executors: it would wait for itself.
    bool stop(std::chrono::milliseconds deadline);

  private:
    class State;
    std::shared_ptr<State> state_;
};

}  // namespace bos::gateway
