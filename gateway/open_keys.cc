#include "gateway/open_keys.h"

#include "eventstore/rocks_key_store.h"

#include <fmt/format.h>

#include <utility>

namespace bos::gateway {

namespace {

namespace fs = std::filesystem;

Result<void> check_place_of_keys(const fs::path& data, const KafkaCluster& kafka) {
    std::error_code ignored;
    const bool own = fs::exists(data / "keys", ignored);
    if (kafka.given() && own) {
        return fail(Code::invalid, fmt::format("{} has keys of this node alone; bos promote shares "
                                               "them on Kafka",
                                               (data / "keys").string()));
    }
    if (!kafka.given() && !own && fs::exists(data / "shared-keys", ignored)) {
        return fail(Code::invalid,
                    fmt::format("the keys of {} are on Kafka: name its brokers with --kafka",
                                data.string()));
    }
    return {};
}

std::string master_key_of(const fs::path& data, const std::string& given) {
    return given.empty() ? (data / "master.key").string() : given;
}

}  // namespace

Result<std::unique_ptr<eventstore::SharedKeyStore>> open_shared_keys(
    const fs::path& data, const KafkaCluster& kafka, const std::string& master_key) {
    eventstore::SharedKeyStoreOptions options;
    BOS_TRY(options.topic, shared_topic_options(kafka, "keys"));
    options.path = (data / "shared-keys").string();
    options.master_key = master_key_of(data, master_key);
    return eventstore::SharedKeyStore::open(std::move(options));
}

Result<std::unique_ptr<eventstore::KeyStore>> open_keys(const fs::path& data,
                                                        const KafkaCluster& kafka,
                                                        const std::string& master_key) {
    BOS_CHECK(check_place_of_keys(data, kafka));
    if (kafka.given()) return open_shared_keys(data, kafka, master_key);
    eventstore::RocksKeyStoreOptions options;
    options.path = (data / "keys").string();
    options.master_key = master_key_of(data, master_key);
    return eventstore::RocksKeyStore::open(std::move(options));
}

}  // namespace bos::gateway
