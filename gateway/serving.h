#pragma once

#include "gateway/api.h"
#include "gateway/authenticator.h"
#include "gateway/cluster.h"
#include "gateway/credential.h"
#include "gateway/hold_timers.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/rebuilds.h"
#include "gateway/router.h"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bos::gateway {

struct ServingOptions {
    NodeOptions node;
    PeerRoles roles;
    PeerClientOptions peers;
};

/// What answers requests on one data folder, from its stores to its routes. The server in front of
/// it outlives it: when the log moves, another one takes its place.
class Serving {
  public:
    /// Opens the stores and brings the views up to the log. `metrics`, `clock` and `random` outlive
    /// it. Errors name what could not be opened and what to do.
    [[nodiscard]] static Result<std::unique_ptr<Serving>> open(const ServingOptions& options,
                                                               Metrics& metrics, Clock& clock,
                                                               Random& random);
    ~Serving();
    Serving(const Serving&) = delete;
    Serving& operator=(const Serving&) = delete;

    /// Starts shards and timers and takes its seat in the cluster. `threads` are those that
    /// requests come on; `address` is where other nodes reach this one. Errors: as Cluster::join.
    [[nodiscard]] Result<void> start(const std::vector<boost::asio::any_io_executor>& threads,
                                     std::string address);
    [[nodiscard]] boost::asio::awaitable<Response> handle(Request request) const {
        return router_.handle(std::move(request));
    }
    /// Gives the shards to other nodes; requests that come go to them.
    void leave(std::chrono::milliseconds most);
    /// Answers what is under way and ends its threads. No request comes any more. False when the
    /// deadline cut it short.
    bool stop(std::chrono::milliseconds deadline);
    /// Lets go of other nodes. To be called when the threads of requests have stopped, before they
    /// go.
    void close();

    [[nodiscard]] Node& node() { return *node_; }

  private:
    Serving(const ServingOptions& options, std::unique_ptr<Node> node,
            std::unique_ptr<CredentialSource> credentials, Metrics& metrics, Clock& clock,
            Random& random);

    // Goes in the reverse order: what stands on the node first.
    std::unique_ptr<Node> node_;
    AnswerCache answers_;
    std::unique_ptr<CredentialSource> credentials_;
    Authenticator authenticator_;
    std::optional<Cluster> cluster_;
    Api api_;
    Rebuilds rebuilds_;
    Router router_;
    std::optional<HoldTimers> timers_;
};

}  // namespace bos::gateway
