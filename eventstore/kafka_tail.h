#pragma once

#include "eventstore/kafka_chain.h"
#include "eventstore/kafka_handle.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace bos::eventstore::kafka {

/// Reads topics from their end backwards.
///
/// Runs on: one thread. Every call blocks, for at most the timeout and a little more.
class TopicTail {
  public:
    /// A record, valid while it is visited.
    class Record {
      public:
        explicit Record(const rd_kafka_message_t& message) : message_(message) {}
        [[nodiscard]] Offset offset() const { return Offset{message_.offset}; }
        [[nodiscard]] std::string_view value() const {
            return {static_cast<const char*>(message_.payload), message_.len};
        }
        /// The last header of this name; none where the record has no such header.
        [[nodiscard]] std::optional<std::string_view> header(const char* name) const;

      private:
        const rd_kafka_message_t& message_;
    };

    /// `properties` name the brokers. Errors: invalid.
    [[nodiscard]] static Result<std::unique_ptr<TopicTail>> open(const Properties& properties,
                                                                 std::chrono::milliseconds timeout);

    /// The offset that partition 0 of the topic gives to the next record.
    [[nodiscard]] Result<Offset> end(const std::string& topic);

    /// Visits the records of partition 0, the newest first, at most `max` offsets back, until
    /// `visit` returns false. Errors: not_found, unavailable.
    using Visit = std::function<bool(const Record&)>;
    [[nodiscard]] Result<void> read_back(const std::string& topic, std::int64_t max,
                                         const Visit& visit);

    /// For metadata and administration.
    [[nodiscard]] rd_kafka_t* handle() const { return handle_.get(); }

  private:
    TopicTail(Owned<rd_kafka_t> handle, std::chrono::milliseconds timeout)
        : handle_(std::move(handle)), timeout_(timeout) {}
    struct Bounds {
        std::int64_t low;
        std::int64_t high;
    };
    [[nodiscard]] Result<Bounds> bounds(const std::string& topic);

    const Owned<rd_kafka_t> handle_;
    const std::chrono::milliseconds timeout_;
};

}  // namespace bos::eventstore::kafka
