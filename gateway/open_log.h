#pragma once

#include "eventstore/event_log.h"
#include "eventstore/kafka_log.h"
#include "eventstore/kafka_shared_topic.h"
#include "eventstore/key_store.h"
#include "schemas/base/result.h"

#include <filesystem>
#include <functional>
#include <memory>
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
    std::vector<std::string> properties;  ///< name=value of librdkafka

    [[nodiscard]] bool given() const { return !brokers.empty(); }
};

/// For a client of the cluster: brokers, and what was given beside them. Errors: invalid = not
/// NAME=VALUE.
[[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> client_properties(
    const KafkaCluster& kafka);

/// Those of `<prefix>.<name>`, a topic that all nodes read.
[[nodiscard]] Result<eventstore::kafka::SharedTopic::Options> shared_topic_options(
    const KafkaCluster& kafka, const std::string& name);

/// Neither kind of log is taken for the other: a folder with a new, empty one would look as if all
/// were lost. A folder that has both is on its way to Kafka, and still embedded. Errors: invalid.
[[nodiscard]] Result<void> check_kind_of_log(const std::filesystem::path& data,
                                             const KafkaCluster& kafka);

/// <data>/log. A record may name a key only once that key is durably its subject's: writes wait for
/// `keys`, which outlives the log; null = all that is written was in a log before. Errors: as RocksLog::open.
[[nodiscard]] Result<std::unique_ptr<eventstore::EventLog>> open_embedded_log(
    const std::filesystem::path& data, eventstore::KeyStore* keys);

/// The topics, and <data>/replica; `keys` as above. Errors: as KafkaLog::open; invalid = a property
/// that is none.
[[nodiscard]] Result<std::unique_ptr<eventstore::KafkaLog>> open_kafka_log(
    const std::filesystem::path& data, const KafkaCluster& kafka, eventstore::KeyStore* keys);

}  // namespace bos::gateway
