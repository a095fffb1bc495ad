#include "eventstore/kafka_topics.h"

#include <algorithm>
#include <string_view>

namespace bos::eventstore::kafka {

namespace {

// Batch and record headers around the largest record.
constexpr std::size_t batch_room_bytes = 64 * 1024;

}  // namespace

Topics::Topics(rd_kafka_t* handle, Options options)
    : handle_(handle), options_(std::move(options)) {}

std::string Topics::name_of(const TenantId& tenant) const {
    return options_.prefix + tenant.value();
}

std::map<std::string, std::string> Topics::settings() const {
    return {{"cleanup.policy", "delete"},
            {"retention.ms", "-1"},
            {"retention.bytes", "-1"},
            {"unclean.leader.election.enable", "false"},
            {"min.insync.replicas", std::to_string(options_.min_insync_replicas)},
            {"max.message.bytes", std::to_string(options_.record_bytes_max + batch_room_bytes)}};
}

Result<std::string> Topics::cluster_id() const {
    char* id = rd_kafka_clusterid(handle_, static_cast<int>(options_.timeout.count()));
    if (!id) return fail(Code::unavailable, "no Kafka broker has answered");
    std::string copy = id;
    rd_kafka_mem_free(handle_, id);
    return copy;
}

Result<std::vector<TenantId>> Topics::tenants() const {
    BOS_TRY(const Metadata all,
            metadata_of(handle_, nullptr, static_cast<int>(options_.timeout.count())));
    std::vector<TenantId> tenants;
    for (int i = 0; i < all->topic_cnt; ++i) {
        const std::string_view name = all->topics[i].topic;
        if (!name.starts_with(options_.prefix)) continue;
        if (auto tenant = TenantId::parse(name.substr(options_.prefix.size()))) {
            tenants.push_back(*std::move(tenant));
        }
    }
    std::ranges::sort(tenants);
    return tenants;
}

Result<bool> Topics::exists(const std::string& topic) const {
    const Owned<rd_kafka_topic_t> handle(rd_kafka_topic_new(handle_, topic.c_str(), nullptr));
    BOS_TRY(const Metadata metadata,
            metadata_of(handle_, handle.get(), static_cast<int>(options_.timeout.count())));
    return metadata->topics[0].err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

Result<void> Topics::prepare(const std::string& topic, Missing missing) const {
    return prepare_topic(
        handle_,
        {.name = topic, .partitions = 1, .replicas = options_.replicas, .settings = settings()},
        missing, options_.timeout);
}

}  // namespace bos::eventstore::kafka
