#pragma once

#include "eventstore/kafka_chain.h"
#include "eventstore/kafka_handle.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bos::eventstore::kafka {

/// Reads partition 0 of topics from given offsets, without a consumer group: who reads what is the
/// engine's business, and where reading stands is in the replica.
///
/// Runs on: one thread, that of the engine; handle() on any.
class Consumer {
  public:
    /// Something that was read, valid until the next take().
    struct Message {
        enum class Kind {
            record,  ///< `bytes` stand at `offset`
            end,     ///< nothing stands at `offset` yet, and all before was handed out
            gone,    ///< the topic does not reach to where reading began or stood, or is no more
            failed,  ///< for now; reading goes on by itself
        };
        Kind kind = Kind::failed;
        void* reader = nullptr;  ///< as given to start(); null: of a topic that was stopped
        Offset offset;
        std::string_view bytes = {};  ///< or why, for people
        std::string_view key = {};    ///< of a record that has one
        bool null = false;            ///< a record without bytes: a tombstone of its key
    };

    /// `wake` is called, on any thread, when there is something to take().
    /// A broker answers a request for data that has not come after `fetch_wait`, and a topic that
    /// is started waits for the request under way.
    [[nodiscard]] static Result<std::unique_ptr<Consumer>> open(
        const Properties& properties, std::function<void()> wake,
        std::chrono::milliseconds fetch_wait = std::chrono::milliseconds(20));
    ~Consumer();
    Consumer(const Consumer&) = delete;
    Consumer& operator=(const Consumer&) = delete;

    /// Reads `topic` from `offset` on. A topic is read once at a time.
    [[nodiscard]] Result<void> start(const std::string& topic, Offset offset, void* reader);
    /// No message of the topic comes after it. Waits for librdkafka's threads, not for brokers.
    void stop(const std::string& topic);

    /// What has been read: at most `max`, and not much beyond `bytes_enough`.
    [[nodiscard]] const std::vector<Message>& take(
        std::size_t max, std::size_t bytes_enough = std::numeric_limits<std::size_t>::max());
    /// The last take() may have left something.
    [[nodiscard]] bool has_more() const { return has_more_; }

    /// For metadata and administration.
    [[nodiscard]] rd_kafka_t* handle() const { return handle_.get(); }

  private:
    Consumer() = default;
    void release();
    /// False: fewer than `max` waited.
    [[nodiscard]] bool take_portion(std::size_t max);
    [[nodiscard]] void* reader_of(const rd_kafka_topic_t* topic);

    std::function<void()> wake_;
    std::vector<rd_kafka_message_t*> taken_;
    std::vector<Message> messages_;
    bool has_more_ = false;
    // Destroyed in reverse order: topics and queue before their handle.
    Owned<rd_kafka_t> handle_;
    Owned<rd_kafka_queue_t> queue_;
    struct Started {
        Owned<rd_kafka_topic_t> topic;
        void* reader;
    };
    std::unordered_map<std::string, Started> started_;
};

}  // namespace bos::eventstore::kafka
