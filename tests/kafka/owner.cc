// An owner that appends to the tenant acme until it is killed, and says what was acknowledged:
//   owner BROKERS TOPIC-PREFIX REPLICA-FOLDER
#include "eventstore/kafka_log.h"
#include "tests/eventstore/answers.h"
#include "tests/eventstore/records.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <sys/prctl.h>

int main(int, char** words) {
    using namespace bos;                    // NOLINT: a program of its own
    using namespace bos::eventstore;        // NOLINT
    using namespace bos::eventstore::test;  // NOLINT
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    KafkaLogOptions options;
    options.brokers = words[1];
    options.topic_prefix = words[2];
    options.replica_path = words[3];
    options.replication_factor = 1;
    options.min_insync_replicas = 1;
    const auto log = KafkaLog::open(options).value();
    Chain chain(tenant("acme"), log->head(tenant("acme")).value());
    constexpr std::size_t pipeline = 16;
    while (true) {
        Answers answers;
        for (std::size_t i = 0; i < pipeline; ++i) log->append(chain.next(), answers.done());
        for (const auto& outcome : answers.wait_for(pipeline)) {
            fmt::print("acknowledged {}\n", outcome.value().position.value);
        }
        std::fflush(stdout);
    }
}
