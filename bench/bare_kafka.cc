#include "bench/bare_kafka.h"

#include "bench/must.h"
#include "eventstore/commit.h"
#include "eventstore/kafka_topics.h"

#include <array>
#include <utility>

namespace bos::bench {

namespace {

namespace kafka = eventstore::kafka;

constexpr int poll_ms = 100;
constexpr int timeout_ms = 10'000;

}  // namespace

BareProducer::BareProducer(const std::string& brokers, const std::string& topic)
    : handle_(must(kafka::open_handle(
          RD_KAFKA_PRODUCER,
          {{"bootstrap.servers", brokers},
           {"enable.idempotence", "true"},
           {"acks", "all"},
           {"linger.ms", "0"},
           {"batch.num.messages", "100000"},
           {"socket.nagle.disable", "true"}},
          {.on_report =
               [](rd_kafka_t*, const rd_kafka_message_t* report, void*) {
                   const std::unique_ptr<Message> message(static_cast<Message*>(report->_private));
                   message->done(!report->err);
               },
           .opaque = nullptr}))) {
    create_topic(brokers, topic);
    topic_.reset(rd_kafka_topic_new(handle_.get(), topic.c_str(), nullptr));
    must(kafka::metadata_of(handle_.get(), topic_.get(), timeout_ms));
    thread_ = std::thread([this] {
        while (!stopping_) rd_kafka_poll(handle_.get(), poll_ms);
    });
}

BareProducer::~BareProducer() {
    rd_kafka_flush(handle_.get(), timeout_ms);
    stopping_ = true;
    thread_.join();
}

void BareProducer::append(std::string record, Done done) {
    auto message = std::make_unique<Message>(std::move(record), std::move(done));
    std::string& bytes = message->record;
    if (rd_kafka_produce(topic_.get(), 0, 0, bytes.data(), bytes.size(), nullptr, 0,
                         message.get())) {
        throw std::runtime_error(rd_kafka_err2str(rd_kafka_last_error()));
    }
    std::ignore = message.release();  // until its report
}

void create_topic(const std::string& brokers, const std::string& topic) {
    const auto handle =
        must(kafka::open_handle(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers}}));
    const kafka::Topics topics(handle.get(), {.prefix = "",
                                              .replicas = 1,
                                              .min_insync_replicas = 1,
                                              .record_bytes_max = eventstore::record_bytes_max});
    must(topics.prepare(topic, kafka::Missing::create));
}

std::uint64_t read_topic(const std::string& brokers, const std::string& topic,
                         std::uint64_t records) {
    const auto handle =
        must(kafka::open_handle(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers},
                                                    {"enable.auto.commit", "false"},
                                                    {"check.crcs", "true"},
                                                    {"fetch.wait.max.ms", "20"},
                                                    {"fetch.message.max.bytes", "4194304"},
                                                    {"queued.max.messages.kbytes", "131072"},
                                                    {"queued.min.messages", "10000000"},
                                                    {"socket.nagle.disable", "true"}}));
    const kafka::Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(handle.get()));
    const kafka::Owned<rd_kafka_topic_t> reader(
        rd_kafka_topic_new(handle.get(), topic.c_str(), nullptr));
    if (rd_kafka_consume_start_queue(reader.get(), 0, 0, queue.get())) {
        throw std::runtime_error("cannot read " + topic);
    }
    std::array<rd_kafka_message_t*, 4096> messages{};
    std::uint64_t bytes = 0;
    while (records > 0) {
        // The batch call waits for the whole time limit unless the array is full.
        const ssize_t count =
            rd_kafka_consume_batch_queue(queue.get(), 1, messages.data(), messages.size());
        for (ssize_t i = 0; i < count; ++i) {
            rd_kafka_message_t* message = messages[static_cast<std::size_t>(i)];
            if (!message->err) {
                bytes += message->len;
                --records;
            }
            rd_kafka_message_destroy(message);
        }
    }
    rd_kafka_consume_stop(reader.get(), 0);
    return bytes;
}

}  // namespace bos::bench
