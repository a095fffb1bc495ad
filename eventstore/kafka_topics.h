#pragma once

#include "eventstore/kafka_handle.h"
#include "eventstore/kafka_topic.h"
#include "schemas/base/tenant.h"

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace bos::eventstore::kafka {

/// The topics of the logs: made with the settings that a log needs, and refused without them.
///
/// Thread-safe. Every call blocks, for at most the timeout and a little more.
class Topics {
  public:
    struct Options {
        std::string prefix;  ///< a tenant's topic is prefix + its name
        int replicas = 3;
        int min_insync_replicas = 2;
        std::size_t record_bytes_max = 0;
        std::chrono::milliseconds timeout{10'000};
    };
    /// `handle` outlives it.
    Topics(rd_kafka_t* handle, Options options);

    [[nodiscard]] std::string name_of(const TenantId& tenant) const;

    /// Which cluster answers. Errors: unavailable.
    [[nodiscard]] Result<std::string> cluster_id() const;
    /// Tenants that have a topic, in order.
    [[nodiscard]] Result<std::vector<TenantId>> tenants() const;

    [[nodiscard]] Result<bool> exists(const std::string& topic) const;
    /// Makes the topic if it is not there and `missing` allows it. Then it is there and can hold a
    /// log: one partition, enough replicas, nothing deleted or compacted, ever. Errors: corrupt
    /// when a topic that must be there is not; invalid when it has other settings, with all that is
    /// wrong and what to do; unavailable.
    [[nodiscard]] Result<void> prepare(const std::string& topic, Missing missing) const;

  private:
    /// What every log's topic is created with, and checked against.
    [[nodiscard]] std::map<std::string, std::string> settings() const;

    rd_kafka_t* const handle_;
    const Options options_;
};

}  // namespace bos::eventstore::kafka
