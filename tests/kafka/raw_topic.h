#pragma once

#include "eventstore/kafka_handle.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bos::kafka::test {

/// A topic as anyone may use it who knows nothing of logs. Throws when the cluster does not do what
/// it is asked for.
class RawTopic {
  public:
    RawTopic(const std::string& bootstrap, std::string name);

    using Settings = std::map<std::string, std::string>;
    void create(const Settings& settings = {}, int partitions = 1);
    /// Waits until it is gone.
    void remove();
    void alter(const Settings& settings);

    /// A record as any client sees it.
    struct Record {
        std::string key = {};
        std::string value = {};
        std::map<std::string, std::string> headers = {};
        std::int64_t timestamp_ms = 0;
    };
    /// Returns the record's offset.
    std::int64_t produce(const std::string& bytes) { return produce(Record{.value = bytes}); }
    std::int64_t produce(const Record& record);
    /// The values of all records, in order.
    [[nodiscard]] std::vector<std::string> records();
    [[nodiscard]] std::vector<Record> read();

  private:
    template <class Request>
    void administer(Request&& request);
    [[nodiscard]] std::int64_t end();
    [[nodiscard]] bool exists();

    const std::string name_;
    eventstore::kafka::Owned<rd_kafka_t> producer_;
    eventstore::kafka::Owned<rd_kafka_t> consumer_;
    eventstore::kafka::Owned<rd_kafka_queue_t> queue_;
    std::int64_t offset_ = -1;  ///< of the last report
};

}  // namespace bos::kafka::test
