#pragma once

#include "schemas/base/result.h"

#include <string>
#include <utility>
#include <vector>

namespace bos::gateway {

/// Where a log is that is not embedded; see eventstore/kafka_log.h.
struct KafkaCluster {
    std::string brokers;  ///< host:port, several with commas between; empty = the log is embedded
    std::string prefix = "bos";  ///< topics are <prefix>.log.<tenant>, <prefix>.events.<tenant>
    int replication_factor = 3;
    int min_insync_replicas = 2;
    std::vector<std::string> properties = {};  ///< name=value of librdkafka; may hold secrets
    /// One name=value a line, mode 0600; what `properties` say comes before it. Empty = none.
    std::string properties_file = {};

    [[nodiscard]] bool given() const { return !brokers.empty(); }
};

/// Names and values of librdkafka, as they were given. They hold secrets: never logged, and no
/// error repeats a value.
using KafkaProperties = std::vector<std::pair<std::string, std::string>>;

/// What was given beside the brokers, the file first. Errors: invalid = not NAME=VALUE; denied = a
/// file that others may read; not_found, unavailable = a file that does not read.
[[nodiscard]] Result<KafkaProperties> given_properties(const KafkaCluster& kafka);

/// For a client of the cluster: the brokers as well. Errors: as above.
[[nodiscard]] Result<KafkaProperties> client_properties(const KafkaCluster& kafka);

/// Before anything is opened, made or written: whether the brokers let a client of ours in. Blocks
/// for five seconds at most. Errors: those of client_properties; denied, with what to check.
/// Brokers that do not answer are not an error here.
[[nodiscard]] Result<void> check_access(const KafkaCluster& kafka);

}  // namespace bos::gateway
