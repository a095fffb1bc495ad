#include "eventstore/kafka_topics.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <thread>

namespace bos::eventstore::kafka {

namespace {

// Batch and record headers around the largest record.
constexpr std::size_t batch_room_bytes = 64 * 1024;
constexpr auto leader_poll = std::chrono::milliseconds(20);
// An answer is late by what librdkafka adds to a request's time limit.
constexpr int event_room_ms = 1'000;

struct DestroyAdmin {
    void operator()(rd_kafka_AdminOptions_t* options) const {
        rd_kafka_AdminOptions_destroy(options);
    }
    void operator()(rd_kafka_NewTopic_t* topic) const { rd_kafka_NewTopic_destroy(topic); }
    void operator()(rd_kafka_ConfigResource_t* resource) const {
        rd_kafka_ConfigResource_destroy(resource);
    }
};

using AdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t, DestroyAdmin>;

AdminOptions admin_options(rd_kafka_t* handle, rd_kafka_admin_op_t operation, int timeout_ms) {
    AdminOptions options(rd_kafka_AdminOptions_new(handle, operation));
    std::array<char, 256> why{};
    rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout_ms, why.data(), why.size());
    return options;
}

std::int64_t number(const std::string& text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

/// These may be more than what is asked for; all others must be the same.
bool is_lower_bound(std::string_view setting) {
    return setting == "min.insync.replicas" || setting == "max.message.bytes";
}

bool suffices(const std::string& setting, const std::string& found, const std::string& wanted) {
    return is_lower_bound(setting) ? number(found) >= number(wanted) : found == wanted;
}

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

std::unexpected<Error> Topics::gone(const std::string& topic) {
    return fail(Code::corrupt,
                topic + " is gone from the cluster, and records were read from it: restore it");
}

Result<void> Topics::prepare(const std::string& topic, Missing missing) const {
    const Owned<rd_kafka_topic_t> handle(rd_kafka_topic_new(handle_, topic.c_str(), nullptr));
    const int timeout_ms = static_cast<int>(options_.timeout.count());
    const auto until = std::chrono::steady_clock::now() + options_.timeout;
    bool created = false;
    while (true) {
        BOS_TRY(const Metadata metadata, metadata_of(handle_, handle.get(), timeout_ms));
        const rd_kafka_metadata_topic_t& found = metadata->topics[0];
        if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART && !created) {
            if (missing == Missing::refuse) return gone(topic);
            BOS_CHECK(create(topic));
            created = true;
        } else if (!found.err && found.partition_cnt > 0 && found.partitions[0].leader >= 0) {
            BOS_CHECK(check_replicas(topic, found));
            return check_settings(topic);
        } else if (std::chrono::steady_clock::now() > until) {
            return kafka::failed(found.err ? found.err : RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
                                 "wait for the leader of " + topic);
        } else {
            std::this_thread::sleep_for(leader_poll);  // the cluster tells nobody when it is ready
        }
    }
}

Result<void> Topics::create(const std::string& topic) const {
    std::array<char, 512> why{};
    const std::unique_ptr<rd_kafka_NewTopic_t, DestroyAdmin> wanted(
        rd_kafka_NewTopic_new(topic.c_str(), 1, options_.replicas, why.data(), why.size()));
    if (!wanted) return fail(Code::invalid, fmt::format("{}: {}", topic, why.data()));
    for (const auto& [name, value] : settings()) {
        rd_kafka_NewTopic_set_config(wanted.get(), name.c_str(), value.c_str());
    }
    const AdminOptions options = admin_options(handle_, RD_KAFKA_ADMIN_OP_CREATETOPICS,
                                               static_cast<int>(options_.timeout.count()));
    const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(handle_));
    rd_kafka_NewTopic_t* topics[] = {wanted.get()};
    rd_kafka_CreateTopics(handle_, topics, 1, options.get(), queue.get());
    BOS_TRY(const Owned<rd_kafka_event_t> event, wait_for(queue.get(), "create " + topic));
    std::size_t count = 0;
    const rd_kafka_topic_result_t** results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event.get()), &count);
    for (std::size_t i = 0; i < count; ++i) {
        const rd_kafka_resp_err_t error = rd_kafka_topic_result_error(results[i]);
        // Another node was first; its settings are checked like ours.
        if (!error || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
        const char* text = rd_kafka_topic_result_error_string(results[i]);
        return kafka::failed(error, fmt::format("create {}: {}", topic, text ? text : ""));
    }
    return {};
}

Result<void> Topics::check_replicas(const std::string& topic,
                                    const rd_kafka_metadata_topic_t& found) const {
    if (found.partition_cnt != 1) {
        return fail(Code::invalid,
                    fmt::format("{} has {} partitions; a log has one", topic, found.partition_cnt));
    }
    if (found.partitions[0].replica_cnt < options_.replicas) {
        return fail(Code::invalid,
                    fmt::format("{} has {} replicas, {} are asked for: add replicas to it, or ask "
                                "for fewer",
                                topic, found.partitions[0].replica_cnt, options_.replicas));
    }
    return {};
}

Result<void> Topics::check_settings(const std::string& topic) const {
    const std::unique_ptr<rd_kafka_ConfigResource_t, DestroyAdmin> asked(
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
    const AdminOptions options = admin_options(handle_, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS,
                                               static_cast<int>(options_.timeout.count()));
    const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(handle_));
    rd_kafka_ConfigResource_t* resources[] = {asked.get()};
    rd_kafka_DescribeConfigs(handle_, resources, 1, options.get(), queue.get());
    const std::string doing = "read the settings of " + topic;
    BOS_TRY(const Owned<rd_kafka_event_t> event, wait_for(queue.get(), doing));
    std::size_t count = 0;
    const rd_kafka_ConfigResource_t** found = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event.get()), &count);
    if (count != 1) return fail(Code::unavailable, doing + ": no answer");
    if (const auto error = rd_kafka_ConfigResource_error(found[0])) {
        return kafka::failed(error, doing);
    }
    std::size_t entries = 0;
    const rd_kafka_ConfigEntry_t** entry = rd_kafka_ConfigResource_configs(found[0], &entries);
    std::map<std::string, std::string> wanted = settings();
    std::vector<std::string> wrong;
    for (std::size_t i = 0; i < entries; ++i) {
        const auto setting = wanted.find(rd_kafka_ConfigEntry_name(entry[i]));
        if (setting == wanted.end()) continue;
        const char* text = rd_kafka_ConfigEntry_value(entry[i]);
        const std::string value = text ? text : "";
        if (!suffices(setting->first, value, setting->second)) {
            wrong.push_back(fmt::format("{}={} (expected {}{})", setting->first, value,
                                        is_lower_bound(setting->first) ? "at least " : "",
                                        setting->second));
        }
    }
    if (wrong.empty()) return {};
    return fail(Code::invalid, fmt::format("{} could lose records: {}; change the topic's settings",
                                           topic, fmt::join(wrong, ", ")));
}

Result<Owned<rd_kafka_event_t>> Topics::wait_for(rd_kafka_queue_t* queue,
                                                 std::string_view doing) const {
    Owned<rd_kafka_event_t> event(
        rd_kafka_queue_poll(queue, static_cast<int>(options_.timeout.count()) + event_room_ms));
    if (!event) return fail(Code::unavailable, fmt::format("{}: no answer", doing));
    if (const auto error = rd_kafka_event_error(event.get())) return kafka::failed(error, doing);
    return event;
}

}  // namespace bos::eventstore::kafka
