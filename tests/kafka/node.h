#pragma once

#include "eventstore/kafka_log.h"
#include "tests/eventstore/answers.h"
#include "tests/eventstore/records.h"
#include "tests/eventstore/temp_folder.h"
#include "tests/kafka/brokers.h"
#include "tests/kafka/raw_topic.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>

namespace bos::eventstore::test {

/// Topics of one test: a prefix that no other has.
inline std::string next_prefix() {
    static int count = 0;
    return fmt::format("t{}.", ++count);
}

/// A clock that stands at the beginning: what a node writes by itself is never before the record
/// that it continues, whatever the clock says.
class BackwardClock final : public Clock {
  public:
    [[nodiscard]] Timestamp now() override { return from_micros(1); }
};

/// A node: a log on the shared broker, with a replica of its own.
struct KafkaNode {
    explicit KafkaNode(std::string topic_prefix) {
        options.brokers = bos::kafka::test::Brokers::one().bootstrap();
        options.topic_prefix = std::move(topic_prefix);
        options.replica_path = folder / "replica";
        options.replication_factor = 1;
        options.min_insync_replicas = 1;
        options.clock = &clock;
    }
    void open() {
        log.reset();
        log = KafkaLog::open(options).value();
    }
    Head head(const TenantId& tenant) const { return log->head(tenant).value(); }
    Result<void> catch_up(const TenantId& tenant) {
        auto end = std::make_shared<std::promise<Result<void>>>();
        log->catch_up(tenant, [end](Result<void> outcome) { end->set_value(std::move(outcome)); });
        return end->get_future().get();
    }

    BackwardClock clock;
    TempFolder folder;
    KafkaLogOptions options;
    std::unique_ptr<KafkaLog> log;
};

/// Waits for what another thread brings about; a test that would wait for ever fails by its time
/// limit.
template <class Condition>
void wait_until(Condition&& condition) {
    while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

}  // namespace bos::eventstore::test
