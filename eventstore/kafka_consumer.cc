#include "eventstore/kafka_consumer.h"

#include <algorithm>
#include <utility>

namespace bos::eventstore::kafka {

namespace {

// librdkafka fills an array, which has to be there whether as much waits or not.
constexpr std::size_t portion_max = 4096;

Properties properties_of(const Properties& given, std::chrono::milliseconds fetch_wait) {
    Properties all = given;
    const auto set = [&](const char* name, std::string value) {
        all.emplace_back(name, std::move(value));
    };
    set("enable.auto.commit", "false");
    set("enable.auto.offset.store", "false");
    set("allow.auto.create.topics", "false");
    set("enable.partition.eof", "true");
    set("auto.offset.reset", "error");  // an offset that is not there is never replaced by another
    set("check.crcs", "true");
    set("isolation.level", "read_uncommitted");  // validity is the chain's affair
    set("socket.nagle.disable", "true");
    set("socket.keepalive.enable", "true");
    set("reconnect.backoff.max.ms", "1000");
    set("fetch.wait.max.ms", std::to_string(fetch_wait.count()));
    set("fetch.error.backoff.ms", "50");
    set("fetch.message.max.bytes", "4194304");
    // Past one of these 2.0.2 pauses for a whole second (fetch.queue.backoff.ms came with 2.2): so
    // the bound in bytes is above what a second takes, and that in messages out of the way.
    // 256 MiB, in memory only while a node is far behind.
    set("queued.max.messages.kbytes", "262144");
    set("queued.min.messages", "10000000");
    set("topic.metadata.refresh.interval.ms", "30000");
    return all;
}

Consumer::Message message_of(const rd_kafka_message_t& taken, void* reader) {
    using Kind = Consumer::Message::Kind;
    const auto kind = [&] {
        switch (taken.err) {
            case RD_KAFKA_RESP_ERR_NO_ERROR:
                return Kind::record;
            case RD_KAFKA_RESP_ERR__PARTITION_EOF:
                return Kind::end;
            case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
            case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
            case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
            case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
            case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
                return Kind::gone;
            default:
                return Kind::failed;
        }
    }();
    return {.kind = kind,
            .reader = reader,
            .offset = Offset{taken.offset},
            .bytes = {static_cast<const char*>(taken.payload), taken.len},
            .key = {static_cast<const char*>(taken.key), taken.key_len},
            .null = taken.payload == nullptr};
}

}  // namespace

Result<std::unique_ptr<Consumer>> Consumer::open(const Properties& properties,
                                                 std::function<void()> wake,
                                                 std::chrono::milliseconds fetch_wait) {
    auto consumer = std::unique_ptr<Consumer>(new Consumer);
    consumer->wake_ = std::move(wake);
    BOS_TRY(consumer->handle_,
            open_handle(RD_KAFKA_CONSUMER, properties_of(properties, fetch_wait)));
    consumer->queue_.reset(rd_kafka_queue_new(consumer->handle_.get()));
    wake_on(consumer->queue_.get(), consumer->wake_);
    return consumer;
}

Consumer::~Consumer() {
    release();
    for (const auto& [name, started] : started_) rd_kafka_consume_stop(started.topic.get(), 0);
}

Result<void> Consumer::start(const std::string& topic, Offset offset, void* reader) {
    Owned<rd_kafka_topic_t> handle(rd_kafka_topic_new(handle_.get(), topic.c_str(), nullptr));
    if (!handle) return failed(rd_kafka_last_error(), "open " + topic);
    if (rd_kafka_consume_start_queue(handle.get(), 0, offset.value, queue_.get())) {
        return failed(rd_kafka_last_error(), "read " + topic);
    }
    started_.insert_or_assign(topic, Started{.topic = std::move(handle), .reader = reader});
    return {};
}

void Consumer::stop(const std::string& topic) {
    const auto started = started_.find(topic);
    if (started == started_.end()) return;
    rd_kafka_consume_stop(started->second.topic.get(), 0);
    started_.erase(started);
}

const std::vector<Consumer::Message>& Consumer::take(std::size_t max, std::size_t bytes_enough) {
    release();
    has_more_ = true;
    std::size_t bytes = 0;
    while (has_more_ && messages_.size() < max && bytes < bytes_enough) {
        const std::size_t first = messages_.size();
        has_more_ = take_portion(std::min(max - first, portion_max));
        for (std::size_t i = first; i < messages_.size(); ++i) bytes += messages_[i].bytes.size();
    }
    return messages_;
}

bool Consumer::take_portion(std::size_t max) {
    const std::size_t first = taken_.size();
    taken_.resize(first + max);
    const ssize_t count = rd_kafka_consume_batch_queue(queue_.get(), 0, taken_.data() + first, max);
    taken_.resize(first + (count > 0 ? static_cast<std::size_t>(count) : 0));
    const rd_kafka_topic_t* topic = nullptr;
    void* reader = nullptr;
    for (std::size_t i = first; i < taken_.size(); ++i) {
        const rd_kafka_message_t* taken = taken_[i];
        // Messages come in runs of one topic.
        if (taken->rkt != topic) reader = reader_of(topic = taken->rkt);
        messages_.push_back(message_of(*taken, reader));
    }
    return taken_.size() == first + max;
}

void* Consumer::reader_of(const rd_kafka_topic_t* topic) {
    if (!topic) return nullptr;
    const auto started = started_.find(rd_kafka_topic_name(topic));
    return started == started_.end() ? nullptr : started->second.reader;
}

void Consumer::release() {
    messages_.clear();
    for (rd_kafka_message_t* taken : taken_) rd_kafka_message_destroy(taken);
    taken_.clear();
}

}  // namespace bos::eventstore::kafka
