#pragma once

#include "eventstore/kafka_handle.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace bos::bench {

/// The limit of a log on Kafka: librdkafka by itself, idempotent and acknowledged by all, with the
/// settings of the engine. No chain, no replica, no look at what comes back.
class BareProducer {
  public:
    using Done = std::function<void(bool ok)>;

    BareProducer(const std::string& brokers, const std::string& topic);
    ~BareProducer();
    BareProducer(const BareProducer&) = delete;
    BareProducer& operator=(const BareProducer&) = delete;

    /// `done` is called on the thread that polls.
    void append(std::string record, Done done);

  private:
    struct Message {
        std::string record;
        Done done;
    };

    eventstore::kafka::Owned<rd_kafka_t> handle_;
    eventstore::kafka::Owned<rd_kafka_topic_t> topic_;
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
};

/// Makes a topic as a log's, with nothing in it.
void create_topic(const std::string& brokers, const std::string& topic);

/// Reads `records` from the beginning of a topic and looks at none of them. Returns their bytes.
[[nodiscard]] std::uint64_t read_topic(const std::string& brokers, const std::string& topic,
                                       std::uint64_t records);

}  // namespace bos::bench
