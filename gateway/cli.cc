#include "gateway/cli.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>

namespace bos::gateway {

void add_kafka_options(CLI::App& word, KafkaCluster& kafka) {
    word.add_option("--kafka", kafka.brokers,
                    "Brokers that have the log, HOST:PORT with commas between; none = it is in the "
                    "data folder")
        ->envname("BOS_KAFKA");
    word.add_option("--kafka-prefix", kafka.prefix,
                    "What the names of topics begin with: several installations can share a "
                    "cluster")
        ->envname("BOS_KAFKA_PREFIX")
        ->capture_default_str();
    word.add_option("--kafka-replication", kafka.replication_factor, "Replicas of a new log topic")
        ->envname("BOS_KAFKA_REPLICATION")
        ->check(CLI::Range(1, 9))
        ->capture_default_str();
    word.add_option("--kafka-min-insync", kafka.min_insync_replicas,
                    "Replicas that must have a record before it is acknowledged")
        ->envname("BOS_KAFKA_MIN_INSYNC")
        ->check(CLI::Range(1, 9))
        ->capture_default_str();
    word.add_option(
            "--kafka-property", kafka.properties,
            "NAME=VALUE of librdkafka, for security.protocol, sasl.*, ssl.*; one each time. "
            "Others see it in the list of processes: secrets belong into the file")
        ->allow_extra_args(false)
        ->envname("BOS_KAFKA_PROPERTY");
    word.add_option("--kafka-properties-file", kafka.properties_file,
                    "File of mode 0600 with such NAME=VALUE, one a line")
        ->envname("BOS_KAFKA_PROPERTIES_FILE");
}

void add_master_key_option(CLI::App& word, std::string& master_key) {
    word.add_option("--master-key", master_key,
                    "File that wraps the keys of personal data, the same on all nodes of a "
                    "cluster; without it master.key in the data folder")
        ->envname("BOS_MASTER_KEY");
}

Result<std::vector<TenantId>> tenants_asked(const eventstore::EventLog& log,
                                            const std::string& name) {
    if (name.empty()) return log.tenants();
    const auto tenant = TenantId::parse(name);
    if (!tenant) return fail(Code::invalid, "a tenant is 1 to 63 of a-z, 0-9 and -");
    BOS_TRY(const eventstore::Head head, log.head(*tenant));
    if (head.position.value == 0)
        return fail(Code::not_found, fmt::format("no tenant {} in this log", name));
    return std::vector{*tenant};
}

int report(const Error& error) {
    fmt::print(stderr, "bos: {}\n", error.detail);
    return 1;
}

}  // namespace bos::gateway
