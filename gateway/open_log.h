#pragma once

#include "eventstore/event_log.h"
#include "eventstore/kafka_log.h"
#include "eventstore/kafka_shared_topic.h"
#include "eventstore/key_store.h"
#include "gateway/kafka_cluster.h"
#include "schemas/base/result.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace bos::gateway {

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

/// The topics, and <data>/replica; `keys` as above. Errors: as KafkaLog::open and
/// given_properties.
[[nodiscard]] Result<std::unique_ptr<eventstore::KafkaLog>> open_kafka_log(
    const std::filesystem::path& data, const KafkaCluster& kafka, eventstore::KeyStore* keys);

}  // namespace bos::gateway
