#pragma once

#include "gateway/http.h"
#include "schemas/base/result.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/execution_context.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace boost::asio::ssl {
class context;
}

namespace bos::gateway {

struct PeerClientOptions {
    /// Nodes talk TLS to each other when they serve it to clients. Certificates are checked against
    /// these authorities (PEM); empty = the machine's.
    bool tls = false;
    std::string authorities;
    /// Connections of one thread to one node. What comes beyond waits its turn: the other node has
    /// a bound for each address, too.
    std::size_t connections_max = 32;
    std::chrono::milliseconds connect_timeout{2'000};
};

/// Sends requests to other nodes as they came, over connections that are kept open.
///
/// Thread-safe: each thread has connections of its own.
class PeerClient {
  public:
    /// `threads`: every io_context whose coroutines send; each has one thread. Errors: invalid =
    /// the authorities do not read.
    [[nodiscard]] static Result<std::unique_ptr<PeerClient>> open(
        PeerClientOptions options, const std::vector<boost::asio::any_io_executor>& threads);
    ~PeerClient();
    PeerClient(const PeerClient&) = delete;
    PeerClient& operator=(const PeerClient&) = delete;

    struct Attempt {
        std::optional<Response> response = {};
        bool may_have_arrived = false;  ///< without a response: the other node may have acted
    };
    /// Method, target, header fields and body as they came, except for what belongs to the
    /// connection. `address` is host:port. Runs on: one of the threads.
    [[nodiscard]] boost::asio::awaitable<Attempt> send(std::string address, const Request& request,
                                                       std::chrono::milliseconds timeout);

    /// Closes what stands idle. To be called when the threads have stopped and before their
    /// io_contexts go.
    void close();

  private:
    struct Connection;
    struct Lane;
    class Place;

    PeerClient(PeerClientOptions options, std::unique_ptr<boost::asio::ssl::context> tls);
    [[nodiscard]] boost::asio::awaitable<std::unique_ptr<Connection>> connect(
        const std::string& address);

    const PeerClientOptions options_;
    const std::unique_ptr<boost::asio::ssl::context> tls_;
    /// Constant after construction; a lane is touched on its thread only.
    std::unordered_map<boost::asio::execution_context*, std::unique_ptr<Lane>> lanes_;
};

/// The request's target, percent-encoded again.
[[nodiscard]] std::string target_of(const Request& request);

}  // namespace bos::gateway
