#include "eventstore/kafka_handle.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <thread>

namespace bos::eventstore::kafka {

namespace {

struct DestroyConf {
    void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};

using std::chrono::milliseconds;

constexpr int syslog_warning = 4;
// With one that was asked where a topic ends, before the question goes to the leader that it has by
// then.
constexpr auto first_patience = milliseconds(1'000);
constexpr auto look_again_after = milliseconds(50);

/// What librdkafka says about brokers that come and go is worth a look only beside our own words.
void log(const rd_kafka_t* handle, int level, const char*, const char* text) {
    // Set by us where it is needed, and known to be marked as experimental.
    if (std::strstr(text, "enable.gapless.guarantee is experimental")) return;
    const auto severity = level <= syslog_warning ? spdlog::level::warn : spdlog::level::debug;
    spdlog::log(severity, "kafka: {}: {}", rd_kafka_name(handle), text);
}

/// Without it librdkafka logs each error twice.
void ignore_error(rd_kafka_t*, int, const char*, void*) {}

Code code_of(rd_kafka_resp_err_t error) {
    switch (error) {
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            return Code::not_found;
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        case RD_KAFKA_RESP_ERR__AUTHENTICATION:
            return Code::denied;
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        case RD_KAFKA_RESP_ERR__INVALID_ARG:
            return Code::invalid;
        default:
            return Code::unavailable;
    }
}

Result<std::vector<Result<std::int64_t>>> ask_once(rd_kafka_t* handle,
                                                   const std::vector<std::string>& topics,
                                                   std::int64_t which, milliseconds timeout) {
    const Owned<rd_kafka_topic_partition_list_t> asked(
        rd_kafka_topic_partition_list_new(static_cast<int>(topics.size())));
    for (const std::string& topic : topics)
        rd_kafka_topic_partition_list_add(asked.get(), topic.c_str(), 0)->offset = which;
    constexpr std::string_view doing = "ask for the ends of ";
    if (const auto error =
            rd_kafka_offsets_for_times(handle, asked.get(), static_cast<int>(timeout.count()))) {
        return failed(error, std::string(doing) + topics.front());
    }
    std::vector<Result<std::int64_t>> ends;
    for (const std::string& topic : topics) {
        const rd_kafka_topic_partition_t* end =
            rd_kafka_topic_partition_list_find(asked.get(), topic.c_str(), 0);
        if (end->err) {
            ends.emplace_back(failed(end->err, std::string(doing) + topic));
        } else if (end->offset < 0) {
            ends.emplace_back(
                fail(Code::unavailable, fmt::format("{}{}: no answer", doing, topic)));
        } else {
            ends.emplace_back(end->offset);
        }
    }
    return ends;
}

}  // namespace

std::unexpected<Error> failed(rd_kafka_resp_err_t error, std::string_view doing) {
    return fail(code_of(error), fmt::format("{}: {}", doing, rd_kafka_err2str(error)));
}

Result<Owned<rd_kafka_t>> open_handle(rd_kafka_type_t type, const Properties& properties,
                                      const Reports& reports) {
    std::unique_ptr<rd_kafka_conf_t, DestroyConf> conf(rd_kafka_conf_new());
    std::array<char, 512> why{};
    for (const auto& [name, value] : properties) {
        if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), why.data(), why.size()) !=
            RD_KAFKA_CONF_OK) {
            return fail(Code::invalid, fmt::format("kafka: {}", why.data()));
        }
    }
    rd_kafka_conf_set_log_cb(conf.get(), log);
    rd_kafka_conf_set_error_cb(conf.get(), reports.on_error ? reports.on_error : ignore_error);
    rd_kafka_conf_set_opaque(conf.get(), reports.opaque);
    if (reports.on_report) rd_kafka_conf_set_dr_msg_cb(conf.get(), reports.on_report);
    if (reports.on_rebalance) rd_kafka_conf_set_rebalance_cb(conf.get(), reports.on_rebalance);
    rd_kafka_t* handle = rd_kafka_new(type, conf.get(), why.data(), why.size());
    if (!handle) return fail(Code::invalid, fmt::format("kafka: {}", why.data()));
    std::ignore = conf.release();  // the handle's now
    return Owned<rd_kafka_t>(handle);
}

void wake_on(rd_kafka_queue_t* queue, const std::function<void()>& wake) {
    rd_kafka_queue_cb_event_enable(
        queue,
        [](rd_kafka_t*, void* opaque) { (*static_cast<const std::function<void()>*>(opaque))(); },
        const_cast<std::function<void()>*>(&wake));
}

Result<Metadata> metadata_of(rd_kafka_t* handle, rd_kafka_topic_t* topic, int timeout_ms) {
    const rd_kafka_metadata_t* metadata = nullptr;
    const rd_kafka_resp_err_t error =
        rd_kafka_metadata(handle, topic == nullptr ? 1 : 0, topic, &metadata, timeout_ms);
    if (error) return failed(error, "ask for metadata");
    return Metadata(metadata);
}

Result<std::int64_t> ask_for_offset(rd_kafka_t* handle, const std::string& topic,
                                    std::int64_t which, milliseconds timeout) {
    const auto until = std::chrono::steady_clock::now() + timeout;
    milliseconds left = timeout;
    for (milliseconds patience = first_patience;; patience *= 2) {
        auto asked = ask_once(handle, {topic}, which, std::min(patience, left));
        Result<std::int64_t> offset =
            asked ? asked->front() : Result<std::int64_t>(std::unexpected(asked.error()));
        left = std::chrono::duration_cast<milliseconds>(until - std::chrono::steady_clock::now());
        if (offset || offset.error().code != Code::unavailable || left <= milliseconds(0)) {
            return offset;
        }
        // The leader that was asked may be gone; another one is not looked for unless asked for.
        const Owned<rd_kafka_topic_t> again(rd_kafka_topic_new(handle, topic.c_str(), nullptr));
        std::ignore = metadata_of(handle, again.get(), static_cast<int>(left.count()));
        std::this_thread::sleep_for(look_again_after);
    }
}

Result<std::vector<Result<std::int64_t>>> ask_for_ends(rd_kafka_t* handle,
                                                       const std::vector<std::string>& topics,
                                                       milliseconds timeout) {
    return ask_once(handle, topics, RD_KAFKA_OFFSET_END, timeout);
}

}  // namespace bos::eventstore::kafka
