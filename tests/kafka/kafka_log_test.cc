#include "eventstore/kafka_log.h"

#include "tests/eventstore/event_log_contract.h"
#include "tests/eventstore/temp_folder.h"
#include "tests/kafka/brokers.h"

#include <doctest/doctest.h>

namespace bos::eventstore {

namespace {

using namespace test;
using kafka::test::Brokers;

/// A cluster's corner of its own: topics under a prefix that no other test has.
struct KafkaEngine {
    std::unique_ptr<EventLog> open() {
        return KafkaLog::open({.brokers = Brokers::one().bootstrap(),
                               .replica_path = folder / "replica",
                               .topic_prefix = prefix,
                               .replication_factor = 1,
                               .min_insync_replicas = 1})
            .value();
    }
    static std::string next_prefix() {
        static int count = 0;
        return fmt::format("t{}.", ++count);
    }
    TempFolder folder;
    std::string prefix = next_prefix();
};

}  // namespace

TEST_CASE("the Kafka log keeps the contract") { check_event_log_contract<KafkaEngine>(); }

}  // namespace bos::eventstore
