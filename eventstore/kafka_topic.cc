#include "eventstore/kafka_topic.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <thread>

namespace bos::eventstore::kafka {

namespace {

constexpr auto look_every = std::chrono::milliseconds(20);
// Each broker learns by itself of a topic that is made or whose leader changes: for a moment one
// does not know what another has answered.
constexpr auto brokers_differ_for = std::chrono::seconds(1);
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

// What is not a bound must be the same.
constexpr std::array<std::string_view, 3> lower_bounds = {
    "min.insync.replicas", "max.message.bytes", "delete.retention.ms"};
constexpr std::array<std::string_view, 2> upper_bounds = {"segment.ms", "max.compaction.lag.ms"};

bool is_lower_bound(std::string_view setting) {
    return std::ranges::find(lower_bounds, setting) != lower_bounds.end();
}

bool is_upper_bound(std::string_view setting) {
    return std::ranges::find(upper_bounds, setting) != upper_bounds.end();
}

bool suffices(const std::string& setting, const std::string& found, const std::string& wanted) {
    if (is_lower_bound(setting)) return number(found) >= number(wanted);
    if (is_upper_bound(setting)) return number(found) <= number(wanted);
    return found == wanted;
}

std::string_view words_of_bound(std::string_view setting) {
    if (is_lower_bound(setting)) return "at least ";
    return is_upper_bound(setting) ? "at most " : "";
}

Result<Owned<rd_kafka_event_t>> wait_for(rd_kafka_queue_t* queue, int timeout_ms,
                                         std::string_view doing) {
    Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(queue, timeout_ms + event_room_ms));
    if (!event) return fail(Code::unavailable, fmt::format("{}: no answer", doing));
    if (const auto error = rd_kafka_event_error(event.get())) return kafka::failed(error, doing);
    return event;
}

Result<void> create(rd_kafka_t* handle, const WantedTopic& topic, int timeout_ms) {
    std::array<char, 512> why{};
    const std::unique_ptr<rd_kafka_NewTopic_t, DestroyAdmin> wanted(rd_kafka_NewTopic_new(
        topic.name.c_str(), topic.partitions, topic.replicas, why.data(), why.size()));
    if (!wanted) return fail(Code::invalid, fmt::format("{}: {}", topic.name, why.data()));
    for (const auto& [name, value] : topic.settings) {
        rd_kafka_NewTopic_set_config(wanted.get(), name.c_str(), value.c_str());
    }
    const AdminOptions options = admin_options(handle, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ms);
    const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(handle));
    rd_kafka_NewTopic_t* topics[] = {wanted.get()};
    rd_kafka_CreateTopics(handle, topics, 1, options.get(), queue.get());
    BOS_TRY(const Owned<rd_kafka_event_t> event,
            wait_for(queue.get(), timeout_ms, "create " + topic.name));
    std::size_t count = 0;
    const rd_kafka_topic_result_t** results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event.get()), &count);
    for (std::size_t i = 0; i < count; ++i) {
        const rd_kafka_resp_err_t error = rd_kafka_topic_result_error(results[i]);
        // Another node was first; its settings are checked like ours.
        if (!error || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
        const char* text = rd_kafka_topic_result_error_string(results[i]);
        return kafka::failed(error, fmt::format("create {}: {}", topic.name, text ? text : ""));
    }
    return {};
}

bool has_leaders(const rd_kafka_metadata_topic_t& topic) {
    for (int i = 0; i < topic.partition_cnt; ++i) {
        if (topic.partitions[i].leader < 0) return false;
    }
    return topic.partition_cnt > 0;
}

Result<void> check_partitions(const WantedTopic& wanted, const rd_kafka_metadata_topic_t& found) {
    if (found.partition_cnt != wanted.partitions) {
        return fail(Code::invalid, fmt::format("{} has {} partitions; it must have {}", wanted.name,
                                               found.partition_cnt, wanted.partitions));
    }
    return {};
}

Result<void> check_replicas(const WantedTopic& wanted, const rd_kafka_metadata_topic_t& found) {
    for (int i = 0; i < found.partition_cnt; ++i) {
        if (found.partitions[i].replica_cnt >= wanted.replicas) continue;
        return fail(Code::invalid,
                    fmt::format("{} has {} replicas, {} are asked for: add replicas to it, or ask "
                                "for fewer",
                                wanted.name, found.partitions[i].replica_cnt, wanted.replicas));
    }
    return {};
}

Result<void> check_settings(rd_kafka_t* handle, const WantedTopic& topic, int timeout_ms) {
    const std::unique_ptr<rd_kafka_ConfigResource_t, DestroyAdmin> asked(
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.name.c_str()));
    const AdminOptions options =
        admin_options(handle, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout_ms);
    const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(handle));
    rd_kafka_ConfigResource_t* resources[] = {asked.get()};
    rd_kafka_DescribeConfigs(handle, resources, 1, options.get(), queue.get());
    const std::string doing = "read the settings of " + topic.name;
    BOS_TRY(const Owned<rd_kafka_event_t> event, wait_for(queue.get(), timeout_ms, doing));
    std::size_t count = 0;
    const rd_kafka_ConfigResource_t** found = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event.get()), &count);
    if (count != 1) return fail(Code::unavailable, doing + ": no answer");
    if (const auto error = rd_kafka_ConfigResource_error(found[0])) {
        return kafka::failed(error, doing);
    }
    std::size_t entries = 0;
    const rd_kafka_ConfigEntry_t** entry = rd_kafka_ConfigResource_configs(found[0], &entries);
    std::vector<std::string> wrong;
    for (std::size_t i = 0; i < entries; ++i) {
        const auto setting = topic.settings.find(rd_kafka_ConfigEntry_name(entry[i]));
        if (setting == topic.settings.end()) continue;
        const char* text = rd_kafka_ConfigEntry_value(entry[i]);
        const std::string value = text ? text : "";
        if (!suffices(setting->first, value, setting->second)) {
            wrong.push_back(fmt::format("{}={} (expected {}{})", setting->first, value,
                                        words_of_bound(setting->first), setting->second));
        }
    }
    if (wrong.empty()) return {};
    return fail(Code::invalid, fmt::format("{} does not keep what it must: {}; change the topic's "
                                           "settings",
                                           topic.name, fmt::join(wrong, ", ")));
}

/// Whether the topic is there, has leaders and is as wanted.
Result<void> look_at(rd_kafka_t* handle, rd_kafka_topic_t* topic, const WantedTopic& wanted,
                     std::chrono::milliseconds timeout) {
    const int timeout_ms = static_cast<int>(timeout.count());
    BOS_TRY(const Metadata metadata, metadata_of(handle, topic, timeout_ms));
    const rd_kafka_metadata_topic_t& found = metadata->topics[0];
    if (found.err || !has_leaders(found)) {
        return kafka::failed(found.err ? found.err : RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
                             "wait for the leader of " + wanted.name);
    }
    BOS_CHECK(check_partitions(wanted, found));
    if (!wanted.checked) return {};
    BOS_CHECK(check_replicas(wanted, found));
    return check_settings(handle, wanted, timeout_ms);
}

/// By waiting, or by creating the topic.
bool may_change(const Error& error) {
    return error.code == Code::not_found || error.code == Code::unavailable;
}

}  // namespace

std::unexpected<Error> topic_gone(const std::string& topic) {
    return fail(Code::corrupt,
                topic + " is gone from the cluster, and records were read from it: restore it");
}

Result<void> prepare_topic(rd_kafka_t* handle, const WantedTopic& wanted, Missing missing,
                           std::chrono::milliseconds timeout) {
    const Owned<rd_kafka_topic_t> topic(rd_kafka_topic_new(handle, wanted.name.c_str(), nullptr));
    const auto began = std::chrono::steady_clock::now();
    auto waited = std::chrono::milliseconds(0);
    bool created = false;
    while (true) {
        Result<void> ready =
            look_at(handle, topic.get(), wanted, std::max(timeout - waited, look_every));
        if (ready || !may_change(ready.error())) return ready;
        waited = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - began);
        const bool unknown = ready.error().code == Code::not_found;
        if (unknown && !created && missing == Missing::create) {
            BOS_CHECK(create(handle, wanted, static_cast<int>(timeout.count())));
            created = true;
        } else if (unknown && missing == Missing::refuse && waited > brokers_differ_for) {
            return topic_gone(wanted.name);
        } else if (waited >= timeout) {
            return ready;
        } else {
            std::this_thread::sleep_for(look_every);  // the cluster tells nobody when it is ready
        }
    }
}

}  // namespace bos::eventstore::kafka
