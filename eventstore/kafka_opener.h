#pragma once

#include "eventstore/kafka_inbox.h"
#include "eventstore/kafka_tenant.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace bos::eventstore {

/// Looks at topics on a thread of its own, for that blocks; one after the other. At most one
/// request for each tenant waits.
///
/// Thread-safe.
class KafkaOpener {
  public:
    using Look = std::function<Result<void>(const KafkaTenant&, KafkaTenant::Mode)>;

    /// Answers go to `inbox`, which outlives it. `look` uses only what is constant of the tenant.
    KafkaOpener(KafkaInbox& inbox, Look look);
    ~KafkaOpener();
    KafkaOpener(const KafkaOpener&) = delete;
    KafkaOpener& operator=(const KafkaOpener&) = delete;

    void request(KafkaTenant& tenant, KafkaTenant::Mode mode);
    /// Forgets what waits, and waits for the look that is under way.
    void stop();

  private:
    void run();

    struct Request {
        KafkaTenant* tenant;
        KafkaTenant::Mode mode;
    };

    KafkaInbox& inbox_;
    const Look look_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Request> requests_;  ///< guarded by mutex_
    bool stopping_ = false;         ///< guarded by mutex_
    std::thread thread_;
};

}  // namespace bos::eventstore
