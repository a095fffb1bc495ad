#pragma once

#include "eventstore/kafka_inbox.h"

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace bos::eventstore {

/// Asks the leaders of topics where these end, on a thread of its own, for that blocks. All that
/// gather while a question is under way are one question: as many tenants as wish cost a round
/// trip together.
///
/// Thread-safe.
class KafkaEnds {
  public:
    /// Answers go to `inbox`; it and `handle` outlive this.
    KafkaEnds(KafkaInbox& inbox, rd_kafka_t* handle);
    ~KafkaEnds();
    KafkaEnds(const KafkaEnds&) = delete;
    KafkaEnds& operator=(const KafkaEnds&) = delete;

    /// Uses only what is constant of the tenant. One that has no answer within some seconds
    /// gets an error, and may be asked for again.
    void request(KafkaTenant& tenant);
    /// Forgets what waits, and waits for the question that is under way.
    void stop();

  private:
    void run();
    [[nodiscard]] bool ask_together(const std::deque<KafkaTenant*>& tenants);
    void ask_alone(KafkaTenant& tenant);
    void tell(KafkaTenant& tenant, const Result<std::int64_t>& end);

    KafkaInbox& inbox_;
    rd_kafka_t* const handle_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<KafkaTenant*> requests_;  ///< guarded by mutex_
    bool stopping_ = false;              ///< guarded by mutex_
    std::thread thread_;
};

}  // namespace bos::eventstore
