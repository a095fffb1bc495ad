#pragma once

#include "eventstore/event_log.h"
#include "eventstore/kafka_topic.h"
#include "eventstore/kafka_tail.h"
#include "projections/event_record.h"

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace bos::projections {

/// Which topic a tenant's events are in, and how far it goes. The topic itself is the only memory
/// of that: no cursor is kept elsewhere that could disagree with it.
///
/// Runs on: one thread. Every call blocks, for at most the timeout and a little more.
class EventsTopics {
  public:
    struct Options {
        eventstore::kafka::Properties properties;  ///< bootstrap.servers and security
        std::string prefix = "bos.events.";
        int replicas = 3;
        int min_insync_replicas = 2;
        std::chrono::milliseconds timeout{10'000};
        /// How far back a record of ours is looked for behind those of strangers. Past it the
        /// events are published from the first one on.
        std::int64_t foreign_records_max = 10'000;
    };
    /// Errors: invalid = a property that librdkafka does not know.
    [[nodiscard]] static Result<std::unique_ptr<EventsTopics>> open(Options options);

    [[nodiscard]] std::string name_of(const TenantId& tenant) const;

    /// Makes the topic unless it is there. One that is there is left as it is: how long analysts
    /// keep events is theirs to say.
    [[nodiscard]] Result<void> ensure(const std::string& topic);
    /// The offset of its next record.
    [[nodiscard]] Result<eventstore::Offset> end(const std::string& topic);

    /// The place of the newest record that is an event of `log`: everything before that event is
    /// before it in the topic. None when there is no such record. What is not in the log with the
    /// same bytes is a stranger's and passed over.
    [[nodiscard]] Result<std::optional<EventPlace>> last_published(const TenantId& tenant,
                                                                   const eventstore::EventLog& log);

  private:
    EventsTopics(Options options, std::unique_ptr<eventstore::kafka::TopicTail> tail)
        : options_(std::move(options)), tail_(std::move(tail)) {}
    /// What a new topic is made with.
    [[nodiscard]] std::map<std::string, std::string> settings() const;

    const Options options_;
    const std::unique_ptr<eventstore::kafka::TopicTail> tail_;
};

}  // namespace bos::projections
