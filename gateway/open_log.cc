#include "gateway/open_log.h"

#include "eventstore/kafka_log.h"
#include "eventstore/rocks_log.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace bos::gateway {

Result<void> check_kind_of_log(const std::filesystem::path& data, const KafkaCluster& kafka) {
    std::error_code ignored;
    const bool embedded = std::filesystem::exists(data / "log", ignored);
    if (kafka.given() && embedded) {
        return fail(Code::invalid, fmt::format("{} has an embedded log; bos promote moves it to "
                                               "Kafka",
                                               data.string()));
    }
    if (!kafka.given() && !embedded && std::filesystem::exists(data / "replica", ignored)) {
        return fail(
            Code::invalid,
            fmt::format("the log of {} is on Kafka: name its brokers with --kafka", data.string()));
    }
    return {};
}

Result<eventstore::kafka::SharedTopic::Options> shared_topic_options(const KafkaCluster& kafka,
                                                                     const std::string& name) {
    eventstore::kafka::SharedTopic::Options options;
    BOS_TRY(options.properties, client_properties(kafka));
    options.topic = kafka.prefix + "." + name;
    options.replicas = kafka.replication_factor;
    options.min_insync_replicas = std::min(kafka.min_insync_replicas, kafka.replication_factor);
    return options;
}

Result<std::unique_ptr<eventstore::KafkaLog>> open_kafka_log(const std::filesystem::path& data,
                                                             const KafkaCluster& kafka,
                                                             eventstore::KeyStore* keys) {
    eventstore::KafkaLogOptions options;
    options.brokers = kafka.brokers;
    options.replica_path = (data / "replica").string();
    options.topic_prefix = kafka.prefix + ".log.";
    options.replication_factor = kafka.replication_factor;
    options.min_insync_replicas = std::min(kafka.min_insync_replicas, kafka.replication_factor);
    if (keys != nullptr) {
        options.before_send = [keys](const TenantId& tenant, auto done) {
            keys->when_synced(tenant, std::move(done));
        };
    }
    BOS_TRY(options.properties, given_properties(kafka));
    if (kafka.replication_factor == 1) {
        spdlog::warn(
            "the log topics have one replica: a broker that loses power can lose what was "
            "acknowledged, unless it syncs every message (docs/kafka.md)");
    }
    return eventstore::KafkaLog::open(std::move(options));
}

Result<std::unique_ptr<eventstore::EventLog>> open_embedded_log(const std::filesystem::path& data,
                                                                eventstore::KeyStore* keys) {
    eventstore::RocksLogOptions options;
    options.path = (data / "log").string();
    if (keys != nullptr) options.before_write = [keys] { return keys->sync(); };
    return eventstore::RocksLog::open(options);
}

}  // namespace bos::gateway
