#pragma once

#include "eventstore/kafka_handle.h"

#include <chrono>
#include <map>
#include <string>

namespace bos::eventstore::kafka {

/// A topic as it has to be.
struct WantedTopic {
    std::string name;
    int partitions = 1;
    int replicas = 3;  ///< or more
    /// What it is created with, and checked against. `min.insync.replicas`,
    /// `max.message.bytes` and `delete.retention.ms` may be more than what is asked for,
    /// `segment.ms` and `max.compaction.lag.ms` less; all others must be the same.
    std::map<std::string, std::string> settings = {};
    /// False: what the topic is changed to later is its owner's affair, but for its partitions.
    bool checked = true;
};

enum class Missing { create, refuse };

/// What is said of a topic that is gone.
[[nodiscard]] std::unexpected<Error> topic_gone(const std::string& topic);

/// Makes the topic if it is not there and `missing` allows it. Then it is there, with a leader, and
/// as wanted. Blocks, for at most the timeout and a little more. Errors: corrupt when a topic that
/// must be there is not; invalid when it is another than what is wanted, with all that is wrong and
/// what to do; unavailable.
[[nodiscard]] Result<void> prepare_topic(rd_kafka_t* handle, const WantedTopic& wanted,
                                         Missing missing, std::chrono::milliseconds timeout);

}  // namespace bos::eventstore::kafka
