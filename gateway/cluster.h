#pragma once

#include "gateway/http.h"
#include "gateway/node.h"
#include "gateway/peer_client.h"
#include "gateway/problem.h"
#include "gateway/shard_table.h"
#include "gateway/takeover.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace bos::gateway {

class ShardGroup;

struct ClusterOptions {
    KafkaCluster kafka;
    PeerRoles roles;
    PeerClientOptions peers;
    /// How long a request looks for a node that can answer it. Longer than Kafka's session and what
    /// a new owner needs.
    std::chrono::milliseconds patience{15'000};
};

/// This node among the others: takes any request, and sends those that another node has to answer
/// to it.
///
/// Thread-safe.
class Cluster {
  public:
    /// `node` outlives it.
    Cluster(ClusterOptions options, Node& node);
    ~Cluster();
    Cluster(const Cluster&) = delete;
    Cluster& operator=(const Cluster&) = delete;

    /// Begins to take shards, and to follow what others write. Before the first request.
    /// `address` is host:port where other nodes reach this one; `threads` are those that requests
    /// come on. Errors: invalid = what was given for clients of the cluster or of other nodes.
    [[nodiscard]] Result<void> join(std::string address,
                                    const std::vector<boost::asio::any_io_executor>& threads);
    /// Gives its shards to other nodes and waits for the commands under way, for `most`. Requests
    /// that come afterwards go to the others. Idempotent.
    void leave(std::chrono::milliseconds most);

    /// Lets go of other nodes. To be called when the threads have stopped, before they go.
    void close();

    /// Somebody waits for what others wrote to the tenant: a topic that came to be since the last
    /// look at the cluster is followed now.
    void hurry(const TenantId& tenant);

    /// Whether commands of the tenant are decided here.
    [[nodiscard]] bool owns(const TenantId& tenant) const;
    [[nodiscard]] const PeerRoles& roles() const { return options_.roles; }
    /// After join().
    [[nodiscard]] const ShardTable& shards() const { return *table_; }

    /// The answer of `here` if this node owns the tenant, of its owner otherwise. Looks for another
    /// owner as long as patience lasts when one goes away; the request carries an Idempotency-Key
    /// if it writes. `here` is told whether the request may have been carried out already.
    using Here = std::function<boost::asio::awaitable<Response>(bool may_be_written)>;
    [[nodiscard]] boost::asio::awaitable<Response> at_owner(TenantId tenant, Request request,
                                                            Here here);
    /// Reads what the tenant's topic has now: after it the log's head is at or behind all that was
    /// acknowledged before, by whichever node. Errors: as KafkaLog::catch_up, but not not_found.
    [[nodiscard]] boost::asio::awaitable<Result<void>> read_to_end(TenantId tenant);
    /// The answer of a node that keeps views, for one that keeps none.
    [[nodiscard]] boost::asio::awaitable<Response> where_views_are(Request request);

  private:
    void look_after_tenants();
    void look_at_tenants();
    [[nodiscard]] bool is_alone() const;

    const ClusterOptions options_;
    Node& node_;
    Takeover takeover_;
    // Constant after join().
    std::string address_;
    std::optional<ShardTable> table_;
    std::unique_ptr<PeerClient> peers_;
    std::unique_ptr<ShardGroup> group_;
    std::atomic<bool> leaving_ = false;
    std::atomic<std::size_t> next_peer_ = 0;

    std::mutex stop_mutex_;
    std::condition_variable stop_;
    bool stopping_ = false;  ///< guarded by stop_mutex_
    int round_ = 0;          ///< of following; touched on follower_
    std::thread follower_;
};

/// Set on a request that comes from another node: it is answered here or not at all.
inline constexpr std::string_view forwarded_header = "BOS-Forwarded";

}  // namespace bos::gateway
