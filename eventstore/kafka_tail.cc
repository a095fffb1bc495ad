#include "eventstore/kafka_tail.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <vector>

namespace bos::eventstore::kafka {

namespace {

// What is looked for is nearly always the last record.
constexpr std::int64_t first_step = 1;
constexpr std::int64_t step_max = 512;

struct DestroyMessage {
    void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
};
using Message = std::unique_ptr<rd_kafka_message_t, DestroyMessage>;

Properties properties_of(const Properties& given) {
    Properties all = given;
    const auto set = [&](const char* name, const char* value) { all.emplace_back(name, value); };
    set("enable.auto.commit", "false");
    set("allow.auto.create.topics", "false");
    set("enable.partition.eof", "true");
    set("auto.offset.reset", "error");
    set("isolation.level", "read_uncommitted");
    set("fetch.wait.max.ms", "20");
    set("fetch.error.backoff.ms", "50");
    set("fetch.message.max.bytes", "1048576");
    set("queued.max.messages.kbytes", "16384");
    set("reconnect.backoff.max.ms", "1000");
    return all;
}

/// Reading of a partition that ends with this object.
class Reading {
  public:
    Reading(rd_kafka_t* handle, const std::string& topic)
        : name_(topic), topic_(rd_kafka_topic_new(handle, topic.c_str(), nullptr)) {}
    ~Reading() {
        if (started_) rd_kafka_consume_stop(topic_.get(), 0);
    }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

    /// The records from `from` to before `to`. There may be fewer: offsets have gaps where a topic
    /// is compacted or has transactions.
    [[nodiscard]] Result<std::vector<Message>> read(std::int64_t from, std::int64_t to,
                                                    std::chrono::milliseconds timeout) {
        const std::string doing = "read the end of " + name_;
        if (rd_kafka_consume_start(topic_.get(), 0, from)) {
            return kafka::failed(rd_kafka_last_error(), doing);
        }
        started_ = true;
        std::vector<Message> records;
        const auto until = std::chrono::steady_clock::now() + timeout;
        while (true) {
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                until - std::chrono::steady_clock::now());
            Message message(
                rd_kafka_consume(topic_.get(), 0, std::max(static_cast<int>(left.count()), 0)));
            if (!message) return fail(Code::unavailable, doing + ": no answer");
            if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return records;
            if (message->err) return kafka::failed(message->err, doing);
            if (message->offset >= to) return records;
            const bool last = message->offset == to - 1;
            records.push_back(std::move(message));
            if (last) return records;
        }
    }

  private:
    const std::string& name_;
    const Owned<rd_kafka_topic_t> topic_;
    bool started_ = false;
};

}  // namespace

std::optional<std::string_view> TopicTail::Record::header(const char* name) const {
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&message_, &headers)) return std::nullopt;
    const void* value = nullptr;
    std::size_t size = 0;
    if (rd_kafka_header_get_last(headers, name, &value, &size)) return std::nullopt;
    return std::string_view(static_cast<const char*>(value), size);
}

Result<std::unique_ptr<TopicTail>> TopicTail::open(const Properties& properties,
                                                   std::chrono::milliseconds timeout) {
    BOS_TRY(auto handle, open_handle(RD_KAFKA_CONSUMER, properties_of(properties)));
    return std::unique_ptr<TopicTail>(new TopicTail(std::move(handle), timeout));
}

Result<TopicTail::Bounds> TopicTail::bounds(const std::string& topic) {
    BOS_TRY(const std::int64_t low,
            ask_for_offset(handle_.get(), topic, RD_KAFKA_OFFSET_BEGINNING, timeout_));
    BOS_TRY(const std::int64_t high,
            ask_for_offset(handle_.get(), topic, RD_KAFKA_OFFSET_END, timeout_));
    return Bounds{.low = low, .high = high};
}

Result<Offset> TopicTail::end(const std::string& topic) {
    BOS_TRY(const std::int64_t high,
            ask_for_offset(handle_.get(), topic, RD_KAFKA_OFFSET_END, timeout_));
    return Offset{high};
}

Result<void> TopicTail::read_back(const std::string& topic, std::int64_t max, const Visit& visit) {
    BOS_TRY(const Bounds found, bounds(topic));
    const std::int64_t lowest = std::max(found.low, found.high - max);
    std::int64_t step = first_step;
    for (std::int64_t end = found.high; end > lowest;) {
        const std::int64_t from = std::max(lowest, end - step);
        Reading reading(handle_.get(), topic);
        BOS_TRY(const std::vector<Message> records, reading.read(from, end, timeout_));
        for (const Message& record : std::views::reverse(records)) {
            if (!visit(Record(*record))) return {};
        }
        end = from;
        step = std::min(step * 8, step_max);
    }
    return {};
}

}  // namespace bos::eventstore::kafka
