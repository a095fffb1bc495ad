#include "eventstore/kafka_log.h"

#include "tests/eventstore/event_log_contract.h"
#include "tests/kafka/node.h"

#include <doctest/doctest.h>

namespace bos::eventstore {

namespace {

using namespace test;

struct KafkaEngineUnderTest {
    std::unique_ptr<EventLog> open() { return KafkaLog::open(node.options).value(); }
    KafkaNode node{next_prefix()};
};

}  // namespace

TEST_CASE("the Kafka log keeps the contract") { check_event_log_contract<KafkaEngineUnderTest>(); }

}  // namespace bos::eventstore
