#include "eventstore/kafka_producer.h"

#include "schemas/base/assert.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace bos::eventstore::kafka {

namespace {

constexpr int poll_ms = 10;
// A batch may take a whole record and the headers around it.
constexpr std::size_t batch_room_bytes = 64 * 1024;

Properties properties_of(const Producer::Options& options) {
    Properties all = options.properties;
    const auto set = [&](const char* name, auto value) {
        all.emplace_back(name, fmt::format("{}", value));
    };
    set("enable.idempotence", "true");  // with it acks=all, in order, five requests under way
    set("acks", "all");
    // The engine groups by itself: what waits while a request is under way goes with the next one.
    set("linger.ms", "0");
    set("batch.num.messages", "100000");
    set("socket.nagle.disable", "true");
    set("socket.keepalive.enable", "true");
    set("message.timeout.ms", options.gapless ? 0 : options.timeout.count());
    if (options.gapless) set("enable.gapless.guarantee", "true");
    // A broker that does not answer is asked again on a new connection before the message ends.
    set("request.timeout.ms", options.timeout.count() / 2);
    set("socket.timeout.ms", options.timeout.count() / 2);
    set("reconnect.backoff.max.ms", "1000");
    set("message.max.bytes", options.record_bytes_max + batch_room_bytes);
    set("queue.buffering.max.messages", 2 * options.records_max);
    set("queue.buffering.max.kbytes", "1048576");  // the engine's own bound is far below
    set("topic.metadata.refresh.interval.ms", "30000");
    return all;
}

}  // namespace

Result<std::unique_ptr<Producer>> Producer::open(const Options& options,
                                                 std::function<void()> wake) {
    auto producer = std::unique_ptr<Producer>(new Producer);
    producer->wake_ = std::move(wake);
    BOS_TRY(producer->handle_,
            open_handle(RD_KAFKA_PRODUCER, properties_of(options),
                        {.on_report = &Producer::on_report, .opaque = producer.get()}));
    producer->queue_.reset(rd_kafka_queue_get_main(producer->handle_.get()));
    wake_on(producer->queue_.get(), producer->wake_);
    return producer;
}

Producer::~Producer() { std::ignore = abandon(); }

void Producer::on_report(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    Report report{.message = message->_private};
    if (message->err) {
        report.why = rd_kafka_err2str(message->err);
    } else if (message->offset < 0) {
        // A retry that the broker knew to be one, too late to tell where the first one stands.
        report.why = "stored, but the broker did not say where";
    } else {
        report.offset = Offset{message->offset};
    }
    static_cast<Producer*>(opaque)->reports_.push_back(report);
}

rd_kafka_topic_t* Producer::find(const std::string& topic) {
    const std::lock_guard lock(mutex_);
    Owned<rd_kafka_topic_t>& found = topics_[topic];
    if (!found) found.reset(rd_kafka_topic_new(handle_.get(), topic.c_str(), nullptr));
    return found.get();
}

Result<void> Producer::produce(const std::string& topic, std::string_view record, void* message) {
    return produce(topic, {}, record, message);
}

Result<void> Producer::produce(const std::string& topic, std::string_view key,
                               std::optional<std::string_view> record, void* message) {
    // Without a copy: the flags say that the bytes stay ours.
    const int refused =
        rd_kafka_produce(find(topic), 0, 0, record ? const_cast<char*>(record->data()) : nullptr,
                         record ? record->size() : 0, key.data(), key.size(), message);
    if (refused) return kafka::failed(rd_kafka_last_error(), "hand a record to the producer");
    return {};
}

Producer::Taken Producer::produce(const std::string& topic, std::span<const Outgoing> records) {
    std::vector<rd_kafka_message_t> batch(records.size());
    for (std::size_t i = 0; i < records.size(); ++i) {
        batch[i].payload = const_cast<char*>(records[i].record.data());  // not copied, as above
        batch[i].len = records[i].record.size();
        batch[i]._private = records[i].message;
    }
    const auto taken = static_cast<std::size_t>(
        rd_kafka_produce_batch(find(topic), 0, 0, batch.data(), static_cast<int>(batch.size())));
    if (taken == records.size()) return {.count = taken, .all = {}};
    const auto refused =
        std::ranges::find_if(batch, [](const auto& each) { return each.err != 0; });
    // Its queue is full, or it has failed for good: it stays so for the rest of the batch.
    BOS_ASSERT(static_cast<std::size_t>(refused - batch.begin()) == taken);
    return {.count = taken, .all = kafka::failed(refused->err, "hand a record to the producer")};
}

const std::vector<Producer::Report>& Producer::poll() {
    reports_.clear();
    rd_kafka_poll(handle_.get(), 0);
    return reports_;
}

Result<void> Producer::produce(const std::string& topic, const Message& record, void* message) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(record.headers.size());
    for (const auto& [name, value] : record.headers) {
        rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                            static_cast<ssize_t>(value.size()));
    }
    std::array<rd_kafka_vu_t, 8> parts{};
    std::size_t count = 0;
    const auto part = [&](rd_kafka_vtype_t type) -> auto& {
        parts.at(count).vtype = type;
        return parts.at(count++).u;
    };
    part(RD_KAFKA_VTYPE_RKT).rkt = find(topic);
    part(RD_KAFKA_VTYPE_PARTITION).i32 = 0;
    part(RD_KAFKA_VTYPE_MSGFLAGS).i = RD_KAFKA_MSG_F_COPY;
    part(RD_KAFKA_VTYPE_KEY).mem = {const_cast<char*>(record.key.data()), record.key.size()};
    part(RD_KAFKA_VTYPE_VALUE).mem = {const_cast<char*>(record.value.data()), record.value.size()};
    part(RD_KAFKA_VTYPE_HEADERS).headers = headers;
    part(RD_KAFKA_VTYPE_TIMESTAMP).i64 = micros(record.time) / 1000;  // milliseconds
    part(RD_KAFKA_VTYPE_OPAQUE).ptr = message;
    rd_kafka_error_t* refused = rd_kafka_produceva(handle_.get(), parts.data(), count);
    if (!refused) return {};
    const rd_kafka_resp_err_t why = rd_kafka_error_code(refused);
    rd_kafka_error_destroy(refused);
    rd_kafka_headers_destroy(headers);  // taken over only with the record
    return kafka::failed(why, "hand a record to the producer");
}

bool Producer::failed() const {
    return rd_kafka_fatal_error(handle_.get(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

const std::vector<Producer::Report>& Producer::abandon() {
    reports_.clear();
    if (!handle_) return reports_;
    while (rd_kafka_outq_len(handle_.get()) > 0) {
        rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_poll(handle_.get(), poll_ms);
    }
    return reports_;
}

Result<void> Producer::warm_up(const std::string& topic, int timeout_ms) {
    BOS_TRY(const Metadata metadata, metadata_of(handle_.get(), find(topic), timeout_ms));
    return {};
}

}  // namespace bos::eventstore::kafka
