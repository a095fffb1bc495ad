#include "tests/kafka/node.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <set>

// Three brokers: what replication promises, and what an owner sees of a leader that goes.

namespace bos::eventstore {

namespace {

using namespace std::chrono_literals;
using namespace test;
using bos::kafka::test::Brokers;
using bos::kafka::test::Paused;

}  // namespace

TEST_CASE("leaders are killed and held still under load, and every answer stays right") {
    Brokers brokers(3);
    const TenantId acme = tenant("acme");
    KafkaNode node(next_prefix());
    node.options.brokers = brokers.bootstrap();
    node.options.replication_factor = 3;
    node.options.min_insync_replicas = 2;
    node.options.produce_timeout = 4s;
    node.options.settle_timeout = 60s;
    node.open();

    std::set<Hash> done;
    std::set<Hash> refused;
    // A pipeline that starts again at the head whenever something fails, as the shard above does.
    const auto append_some = [&](int count) {
        for (int appended = 0; appended < count;) {
            Chain chain(acme, node.head(acme));
            Answers answers;
            std::vector<Hash> hashes;
            for (int i = 0; i < 8; ++i) {
                const std::uint64_t round = done.size() + refused.size();
                node.log->append(chain.next([&](Commit& c) { c.correlation = uuid(round + 1); }),
                                 answers.done());
                hashes.push_back(chain.head().hash);
            }
            const auto outcomes = answers.wait_for(8);
            for (std::size_t i = 0; i < 8; ++i) {
                REQUIRE(code(outcomes[i]) != Code::corrupt);
                if (outcomes[i]) done.insert(hashes[i]), ++appended;
                if (code(outcomes[i]) == Code::conflict) refused.insert(hashes[i]);
            }
        }
    };
    append_some(40);
    const char* asked = std::getenv("BOS_KAFKA_ROUNDS");
    const int rounds = asked ? std::atoi(asked) : 3;
    for (int round = 0; round < rounds; ++round) {
        const int broker = round % 3 + 1;  // one of them leads
        brokers.kill(broker);
        append_some(80);
        brokers.start(broker);
        {
            const Paused paused(brokers, broker);
            append_some(80);
        }
    }

    KafkaNode fresh(node.options.topic_prefix);
    fresh.options = node.options;
    fresh.options.replica_path = fresh.folder / "replica";
    fresh.open();
    std::set<Hash> valid;
    REQUIRE(fresh.log->scan(acme, Position{1}, Position{1'000'000},
                            [&](Position, std::string_view record) {
                                valid.insert(hash_of(record));
                                return true;
                            }));
    CHECK_EQ(fresh.head(acme), node.head(acme));
    CHECK(verify_chain(*fresh.log, acme).has_value());
    for (const Hash& hash : done) REQUIRE(valid.contains(hash));
    for (const Hash& hash : refused) REQUIRE_FALSE(valid.contains(hash));
    fresh.log.reset();
    node.log.reset();
}

}  // namespace bos::eventstore
