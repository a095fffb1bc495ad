#include "tests/kafka/raw_topic.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <thread>

namespace bos::kafka::test {

namespace {

namespace kafka = eventstore::kafka;
constexpr int timeout_ms = 20'000;

void must(rd_kafka_resp_err_t error, const std::string& doing) {
    if (error) throw std::runtime_error(doing + ": " + rd_kafka_err2str(error));
}

kafka::Owned<rd_kafka_t> open(rd_kafka_type_t type, const std::string& bootstrap,
                              const kafka::Reports& reports = {}) {
    kafka::Properties properties{{"bootstrap.servers", bootstrap}};
    if (type == RD_KAFKA_CONSUMER) {
        properties.emplace_back("enable.auto.commit", "false");
        properties.emplace_back("fetch.wait.max.ms", "10");
    }
    auto handle = kafka::open_handle(type, properties, reports);
    if (!handle) throw std::runtime_error(handle.error().detail);
    return *std::move(handle);
}

RawTopic::Record record_of(const rd_kafka_message_t& message) {
    RawTopic::Record record{.key = {static_cast<const char*>(message.key), message.key_len},
                            .value = {static_cast<const char*>(message.payload), message.len},
                            .timestamp_ms = rd_kafka_message_timestamp(&message, nullptr)};
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&message, &headers)) return record;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &size); ++i) {
        record.headers[name] = {static_cast<const char*>(value), size};
    }
    return record;
}

}  // namespace

RawTopic::RawTopic(const std::string& bootstrap, std::string name)
    : name_(std::move(name)),
      producer_(open(RD_KAFKA_PRODUCER, bootstrap,
                     {.on_report =
                          [](rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
                              must(message->err, "produce");
                              static_cast<RawTopic*>(self)->offset_ = message->offset;
                          },
                      .opaque = this})),
      consumer_(open(RD_KAFKA_CONSUMER, bootstrap)),
      queue_(rd_kafka_queue_new(producer_.get())) {}

template <class Request>
void RawTopic::administer(Request&& request) {
    request();
    const kafka::Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(queue_.get(), timeout_ms));
    if (!event) throw std::runtime_error("no answer about " + name_);
    must(rd_kafka_event_error(event.get()), "administer " + name_);
}

void RawTopic::create(const Settings& settings, int partitions) {
    std::array<char, 256> why{};
    rd_kafka_NewTopic_t* topic =
        rd_kafka_NewTopic_new(name_.c_str(), partitions, 1, why.data(), why.size());
    for (const auto& [name, value] : settings) {
        rd_kafka_NewTopic_set_config(topic, name.c_str(), value.c_str());
    }
    administer([&] { rd_kafka_CreateTopics(producer_.get(), &topic, 1, nullptr, queue_.get()); });
    rd_kafka_NewTopic_destroy(topic);
}

void RawTopic::remove() {
    rd_kafka_DeleteTopic_t* topic = rd_kafka_DeleteTopic_new(name_.c_str());
    administer([&] { rd_kafka_DeleteTopics(producer_.get(), &topic, 1, nullptr, queue_.get()); });
    rd_kafka_DeleteTopic_destroy(topic);
    while (exists()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

/// Also of a topic that is still being deleted.
bool RawTopic::exists() {
    const auto all = kafka::metadata_of(producer_.get(), nullptr, timeout_ms);
    if (!all) throw std::runtime_error(all.error().detail);
    return std::any_of((*all)->topics, (*all)->topics + (*all)->topic_cnt,
                       [&](const rd_kafka_metadata_topic_t& each) { return name_ == each.topic; });
}

void RawTopic::alter(const Settings& settings) {
    rd_kafka_ConfigResource_t* resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name_.c_str());
    for (const auto& [name, value] : settings) {
        must(rd_kafka_ConfigResource_set_config(resource, name.c_str(), value.c_str()), "alter");
    }
    administer(
        [&] { rd_kafka_AlterConfigs(producer_.get(), &resource, 1, nullptr, queue_.get()); });
    rd_kafka_ConfigResource_destroy(resource);
}

std::int64_t RawTopic::produce(const Record& record) {
    const kafka::Owned<rd_kafka_topic_t> topic(
        rd_kafka_topic_new(producer_.get(), name_.c_str(), nullptr));
    rd_kafka_headers_t* headers = rd_kafka_headers_new(record.headers.size());
    for (const auto& [name, value] : record.headers) {
        rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                            static_cast<ssize_t>(value.size()));
    }
    std::array<rd_kafka_vu_t, 6> parts{};
    parts[0] = {.vtype = RD_KAFKA_VTYPE_RKT, .u = {.rkt = topic.get()}};
    parts[1] = {.vtype = RD_KAFKA_VTYPE_PARTITION, .u = {.i32 = 0}};
    parts[2] = {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u = {.i = RD_KAFKA_MSG_F_COPY}};
    parts[3] = {.vtype = RD_KAFKA_VTYPE_KEY,
                .u = {.mem = {const_cast<char*>(record.key.data()), record.key.size()}}};
    parts[4] = {.vtype = RD_KAFKA_VTYPE_VALUE,
                .u = {.mem = {const_cast<char*>(record.value.data()), record.value.size()}}};
    parts[5] = {.vtype = RD_KAFKA_VTYPE_HEADERS, .u = {.headers = headers}};
    if (rd_kafka_error_t* error = rd_kafka_produceva(producer_.get(), parts.data(), parts.size())) {
        throw std::runtime_error(std::string("produce: ") + rd_kafka_error_string(error));
    }
    must(rd_kafka_flush(producer_.get(), timeout_ms), "flush");
    return offset_;
}

std::int64_t RawTopic::end() {
    std::int64_t low = 0;
    std::int64_t high = 0;
    must(rd_kafka_query_watermark_offsets(consumer_.get(), name_.c_str(), 0, &low, &high,
                                          timeout_ms),
         "ask for the end of " + name_);
    return high;
}

std::vector<std::string> RawTopic::records() {
    std::vector<std::string> values;
    for (Record& record : read()) values.push_back(std::move(record.value));
    return values;
}

std::vector<RawTopic::Record> RawTopic::read() {
    const std::int64_t last = end();
    std::vector<Record> all;
    const kafka::Owned<rd_kafka_topic_t> topic(
        rd_kafka_topic_new(consumer_.get(), name_.c_str(), nullptr));
    rd_kafka_consume_start(topic.get(), 0, 0);
    for (std::int64_t next = 0; next < last;) {  // a compacted topic has holes
        rd_kafka_message_t* message = rd_kafka_consume(topic.get(), 0, timeout_ms);
        if (!message) throw std::runtime_error("no record of " + name_);
        const rd_kafka_resp_err_t error = message->err;
        if (!error) all.push_back(record_of(*message));
        if (!error) next = message->offset + 1;
        rd_kafka_message_destroy(message);
        must(error, "read " + name_);
    }
    rd_kafka_consume_stop(topic.get(), 0);
    return all;
}

}  // namespace bos::kafka::test
