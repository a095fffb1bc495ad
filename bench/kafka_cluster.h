#pragma once

#include "gateway/open_log.h"

#include <string>
#include <utility>

namespace bos::bench {

/// Topics of their own on a cluster of one broker.
[[nodiscard]] inline gateway::KafkaCluster one_broker(std::string brokers, std::string prefix) {
    gateway::KafkaCluster cluster;
    cluster.brokers = std::move(brokers);
    cluster.prefix = std::move(prefix);
    cluster.replication_factor = 1;
    cluster.min_insync_replicas = 1;
    return cluster;
}

}  // namespace bos::bench
