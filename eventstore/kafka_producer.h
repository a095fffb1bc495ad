#pragma once

#include "eventstore/kafka_chain.h"
#include "eventstore/kafka_handle.h"
#include "schemas/base/time.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bos::eventstore::kafka {

/// Produces records to partition 0 of topics: idempotent, acknowledged by all replicas in sync.
///
/// Runs on: one thread, that of the engine; warm_up() on any.
class Producer {
  public:
    struct Options {
        Properties properties;  ///< bootstrap.servers and security; ours go before all others
        std::chrono::milliseconds timeout{10'000};  ///< of a message, from produce() to its report
        std::size_t record_bytes_max = 0;
        std::size_t records_max = 0;  ///< under way at once
        /// No record of a topic is ever stored without those that were given before it: a message
        /// has no time limit, and one that the broker refuses makes the producer fail() for good.
        bool gapless = false;
    };
    /// A record for other readers than ours.
    struct Message {
        std::string_view key;
        std::string_view value;
        std::span<const std::pair<std::string_view, std::string>> headers;
        Timestamp time;  ///< in whole milliseconds
    };
    /// What became of a message.
    struct Report {
        void* message = nullptr;            ///< as given to produce()
        std::optional<Offset> offset = {};  ///< none: stored or not, now or later
        std::string_view why = {};          ///< static text; for people
    };

    /// `wake` is called, on any thread, when there is something to poll().
    [[nodiscard]] static Result<std::unique_ptr<Producer>> open(const Options& options,
                                                                std::function<void()> wake);
    ~Producer();
    Producer(const Producer&) = delete;
    Producer& operator=(const Producer&) = delete;

    /// `record` stays where it is until its report. An error means that nothing was sent and that
    /// no report will come.
    [[nodiscard]] Result<void> produce(const std::string& topic, std::string_view record,
                                       void* message);
    /// As many calls of it as there are `records`, in their order, and much cheaper. How many were
    /// taken, and why no more: those after the first one that was not are not taken either.
    struct Outgoing {
        std::string_view record;
        void* message = nullptr;
    };
    struct Taken {
        std::size_t count = 0;
        Result<void> all;  ///< an error: not all of them
    };
    [[nodiscard]] Taken produce(const std::string& topic, std::span<const Outgoing> records);
    /// The same for a copy of `record`.
    [[nodiscard]] Result<void> produce(const std::string& topic, const Message& record,
                                       void* message);
    /// The same with a key, for topics that keep the newest record of each; no record: a tombstone.
    [[nodiscard]] Result<void> produce(const std::string& topic, std::string_view key,
                                       std::optional<std::string_view> record, void* message);

    /// The reports that have come. The result is valid until the next call.
    [[nodiscard]] const std::vector<Report>& poll();

    /// It cannot produce any more (KIP-98: a fatal error of an idempotent producer); take() what is
    /// left and open another.
    [[nodiscard]] bool failed() const;
    /// Gives up what is under way, and returns a report for each. The last call of all.
    [[nodiscard]] const std::vector<Report>& abandon();

    /// Makes the topic known, so that its first record does not wait for metadata. Blocks.
    [[nodiscard]] Result<void> warm_up(const std::string& topic, int timeout_ms);

    /// For questions to the cluster, on any thread.
    [[nodiscard]] rd_kafka_t* handle() const { return handle_.get(); }

  private:
    Producer() = default;
    static void on_report(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque);
    [[nodiscard]] rd_kafka_topic_t* find(const std::string& topic);

    std::function<void()> wake_;
    std::vector<Report> reports_;
    // Destroyed in reverse order: topics and queue before their handle.
    Owned<rd_kafka_t> handle_;
    Owned<rd_kafka_queue_t> queue_;
    std::mutex mutex_;  ///< guards topics_
    std::unordered_map<std::string, Owned<rd_kafka_topic_t>> topics_;
};

}  // namespace bos::eventstore::kafka
