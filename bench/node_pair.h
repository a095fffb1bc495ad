#pragma once

#include "bench/http_client.h"
#include "bench/options.h"
#include "bench/servers.h"
#include "gateway/open_log.h"

#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

namespace bos::bench {

/// Two nodes on one Kafka: the real binary, twice. Either takes requests; one of them decides for
/// the tenant.
class NodePair {
  public:
    /// `data` is a folder whose log is on `kafka`; the second node gets a copy of it beside.
    /// Returns when both have shards.
    NodePair(const Options& options, const std::filesystem::path& data, gateway::KafkaCluster kafka,
             std::string key);

    /// The one that decides for bench_tenant().
    [[nodiscard]] std::size_t owner();
    [[nodiscard]] HttpClient client_of(std::size_t node) const;
    /// A command with this Idempotency-Key, through any node.
    [[nodiscard]] std::string command(std::string_view idempotency_key) const;
    /// The same, but answered by the node that gets it or by none.
    [[nodiscard]] std::string command_for_owner(std::string_view idempotency_key) const;

    void signal(std::size_t node, int number) { nodes_[node].server->signal(number); }
    /// Waits until it ended, starts it again, and waits until both have shards.
    void restart(std::size_t node);

  private:
    struct Node {
        std::filesystem::path data;
        std::unique_ptr<BosServer> server;
    };

    void start(Node& node);
    void wait_for_shards() const;

    const Options& options_;
    const gateway::KafkaCluster kafka_;
    const std::string key_;
    std::array<Node, 2> nodes_;
};

}  // namespace bos::bench
