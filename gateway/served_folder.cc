#include "gateway/served_folder.h"

#include "gateway/move_keys.h"
#include "gateway/move_log.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <string>
#include <utility>

namespace bos::gateway {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Of a request at the closed gate: moving holds it for a second or so, Kafka may take its time.
constexpr auto patience_at_gate = seconds(60);
/// For requests inside: a command waits for its log, at most.
constexpr auto drain_time = seconds(30);
/// What is copied behind the closed gate: some milliseconds' work.
constexpr std::uint64_t rest_max = 500;
/// A log that grows faster than it is copied is moved with a longer pause in the end.
constexpr int rounds_max = 20;

/// {"do":"promote","kafka":"one:9092","prefix":"bos","replication":3,"min_insync":2,
///  "properties":["a=b"]}
Result<KafkaCluster> cluster_of(const boost::json::object& order) {
    using boost::json::value_to;
    try {
        return KafkaCluster{
            .brokers = value_to<std::string>(order.at("kafka")),
            .prefix = value_to<std::string>(order.at("prefix")),
            .replication_factor = value_to<int>(order.at("replication")),
            .min_insync_replicas = value_to<int>(order.at("min_insync")),
            .properties = value_to<std::vector<std::string>>(order.at("properties"))};
    } catch (const std::exception& error) {
        return fail(Code::invalid, fmt::format("the order does not read: {}", error.what()));
    }
}

}  // namespace

ServedFolder::ServedFolder(ServingOptions options, Metrics& metrics, Clock& clock, Random& random)
    : options_(std::move(options)),
      metrics_(metrics),
      clock_(clock),
      random_(random),
      gate_(patience_at_gate) {}

ServedFolder::~ServedFolder() = default;

Result<void> ServedFolder::open() {
    BOS_TRY(serving_, Serving::open(options_, metrics_, clock_, random_));
    return {};
}

Result<void> ServedFolder::start(std::vector<boost::asio::any_io_executor> threads,
                                 std::string address) {
    threads_ = std::move(threads);
    address_ = std::move(address);
    BOS_CHECK(serving_->start(threads_, address_));
    gate_.open(*serving_);
    const auto carry_out = [this](const boost::json::object& order,
                                  const Tell& tell) -> Result<void> {
        const boost::json::value* word = order.if_contains("do");
        if (!serving_) return fail(Code::unavailable, "the folder is not served any more");
        if (word != nullptr && *word == "settle") return serving_->node().settle();
        if (word == nullptr || *word != "promote")
            return fail(Code::invalid, "this server does not know the order");
        BOS_TRY(const KafkaCluster kafka, cluster_of(order));
        return promote(kafka, tell);
    };
    BOS_TRY(control_, ControlSocket::open(options_.node.data, carry_out));
    return {};
}

void ServedFolder::leave(milliseconds most) {
    control_.reset();
    serving_->leave(most);
}

bool ServedFolder::stop(milliseconds deadline) {
    serving_->close();
    return serving_->stop(deadline);
}

// --- moving the log ----------------------------------------------------------------------------

Result<void> ServedFolder::promote(const KafkaCluster& kafka, const Tell& tell) {
    if (options_.node.kafka.given()) return fail(Code::invalid, "the log is on Kafka already");
    BOS_CHECK(check_room_aside(options_.node.data));
    BOS_CHECK(check_access(kafka));
    spdlog::info("the log moves to {}", kafka.brokers);
    BOS_CHECK(copy_beside(kafka, tell));
    tell("requests wait");
    if (!gate_.close(drain_time))
        return fail(Code::unavailable, "some requests did not end; the log was not moved");
    const auto moved = copy_rest_and_switch(kafka, tell);
    if (moved) {
        tell(
            fmt::format("requests go on; the log is on {}: serve it with --kafka from the next "
                        "start on. {} may be deleted",
                        kafka.brokers, (options_.node.data / "promoted-log").string()));
        return {};
    }
    spdlog::error("the log was not moved: {}", moved.error().detail);
    // Nothing was written to the topics that the folder has not.
    BOS_CHECK(remove_copies_of_keys(options_.node.data));
    BOS_CHECK(serve_from({}));
    return moved;
}

/// Most of it, while commands go on.
Result<void> ServedFolder::copy_beside(const KafkaCluster& kafka, const Tell& tell) {
    BOS_TRY(const auto to, open_kafka_log(options_.node.data, kafka, nullptr));
    for (int round = 0; round < rounds_max; ++round) {
        BOS_TRY(const std::uint64_t copied, copy_all(serving_->node().log(), *to, tell));
        if (copied < rest_max) break;
    }
    return {};
}

Result<void> ServedFolder::copy_rest_and_switch(const KafkaCluster& kafka, const Tell& tell) {
    serving_->stop(drain_time);
    serving_.reset();
    BOS_CHECK(share_keys(options_.node.data, kafka, options_.node.master_key));
    BOS_CHECK(share_credentials(options_.node.data, kafka));
    {
        BOS_TRY(const auto from, open_embedded_log(options_.node.data, nullptr));
        BOS_TRY(const auto to, open_kafka_log(options_.node.data, kafka, nullptr));
        BOS_CHECK(copy_all(*from, *to, tell));
    }
    BOS_CHECK(put_own_keys_aside(options_.node.data));
    BOS_CHECK(put_embedded_log_aside(options_.node.data));
    const Result<void> served = serve_from(kafka);
    if (served) return forget_own_keys(options_.node.data);
    BOS_CHECK(put_embedded_log_back(options_.node.data));
    BOS_CHECK(put_own_keys_back(options_.node.data));
    return served;
}

/// And opens the gate.
Result<void> ServedFolder::serve_from(const KafkaCluster& kafka) {
    ServingOptions options = options_;
    options.node.kafka = kafka;
    serving_.reset();
    BOS_TRY(serving_, Serving::open(options, metrics_, clock_, random_));
    BOS_CHECK(serving_->start(threads_, address_));
    options_ = std::move(options);
    gate_.open(*serving_);
    return {};
}

}  // namespace bos::gateway
