#include "eventstore/kafka_log.h"

#include "bench/bare_kafka.h"
#include "bench/closed_loop.h"
#include "bench/figure.h"
#include "bench/must.h"
#include "bench/record_chain.h"
#include "bench/temp_folder.h"
#include "bench/workloads.h"
#include "tests/kafka/brokers.h"

#include <fmt/format.h>

#include <array>
#include <future>

// The log on Kafka beside librdkafka by itself, on the same broker.

namespace bos::bench {

namespace {

using eventstore::KafkaLog;
using eventstore::KafkaLogOptions;

KafkaLogOptions log_options(const std::string& brokers, const std::filesystem::path& replica) {
    KafkaLogOptions options;
    options.brokers = brokers;
    options.replica_path = replica.string();
    options.topic_prefix = "bench.log.";
    options.replication_factor = 1;
    options.min_insync_replicas = 1;
    return options;
}

/// One tenant's records, some of them under way at once.
class Pipeline {
  public:
    Pipeline(std::size_t tenant, std::size_t depth) : chain_(tenant), depth_(depth) {}

    template <class Append>
    [[nodiscard]] Measured run(double seconds, Append&& append) {
        chain_.prepare(static_cast<std::size_t>(records_per_second_ * seconds));
        Measured measured = loop_.run(depth_, seconds, [&](std::size_t lane) {
            append(chain_.next(), [this, lane](bool ok) { loop_.finished(lane, ok); });
            return true;
        });
        constexpr double room = 1.3;
        records_per_second_ = room * static_cast<double>(measured.count) / std::max(seconds, 0.01);
        return measured;
    }

  private:
    ClosedLoop loop_;
    RecordChain chain_;
    const std::size_t depth_;
    double records_per_second_ = 50'000;  ///< as of the last run, with room
};

}  // namespace

void kafka_append(const Options& options, boost::json::array& figures) {
    kafka::test::Brokers brokers;
    constexpr std::array<std::size_t, 3> depths{1, 16, 256};
    std::size_t tenant = 0;
    for (const std::size_t depth : depths) {
        const TempFolder folder(options.folder);
        const auto log =
            must(KafkaLog::open(log_options(brokers.bootstrap(), folder.path() / "r")));
        BareProducer bare(brokers.bootstrap(), fmt::format("bare.{}", depth));
        Pipeline ours(++tenant, depth);
        Pipeline theirs(++tenant, depth);
        const std::vector<Side> sides{
            {"log",
             [&](double seconds) {
                 return ours.run(seconds, [&](std::string record, std::function<void(bool)> done) {
                     log->append(std::move(record),
                                 [answer = std::move(done)](const Result<eventstore::Head>& head) {
                                     answer(head.has_value());
                                 });
                 });
             }},
            {"bare_librdkafka", [&](double seconds) {
                 return theirs.run(seconds,
                                   [&](std::string record, std::function<void(bool)> done) {
                                       bare.append(std::move(record), std::move(done));
                                   });
             }}};
        const Work work{
            .name = fmt::format("kafka_append.{}", depth),
            .unit = "records",
            .what =
                "records of one tenant appended to the log on Kafka, so many under way at once, "
                "beside the same bytes produced by librdkafka alone; one broker on this machine",
            .sync =
                "acks=all of one replica: in the broker's page cache, and in the replica of the "
                "node before its writer goes on",
            .bytes = {{"record", RecordChain(0).next().size()}}};
        figures.push_back(compare(options, work, sides));
    }
}

void kafka_fill(const Options& options, boost::json::array& figures) {
    kafka::test::Brokers brokers;
    const std::uint64_t records = options.quick ? 50'000 : 500'000;
    RecordChain chain(1);
    {
        BareProducer producer(brokers.bootstrap(), "bench.log.writer-1");
        for (std::uint64_t i = 0; i < records; ++i) {
            std::string record = chain.next();
            // librdkafka's queue holds 100'000.
            if (i % 50'000 == 49'999) {
                std::promise<void> stored;
                producer.append(std::move(record), [&](bool) { stored.set_value(); });
                stored.get_future().wait();
            } else {
                producer.append(std::move(record), [](bool) {});
            }
        }
    }
    const std::vector<Side> sides{
        {"replica",
         [&](double) {
             const TempFolder folder(options.folder);
             const auto start = SteadyClock::now();
             const auto log =
                 must(KafkaLog::open(log_options(brokers.bootstrap(), folder.path() / "r")));
             Measured measured{.count = records, .seconds = nanoseconds_since(start) / 1e9};
             const auto head = must(log->head(*TenantId::parse("writer-1")));
             if (head.position.value != records) throw std::runtime_error("records are missing");
             return measured;
         }},
        {"bare_consumer", [&](double) {
             const auto start = SteadyClock::now();
             std::ignore = read_topic(brokers.bootstrap(), "bench.log.writer-1", records);
             return Measured{.count = records, .seconds = nanoseconds_since(start) / 1e9};
         }}};
    const Work work{.name = "kafka_fill",
                    .unit = "records",
                    .what =
                        "a new node's replica filled from the topic of one tenant, verified, "
                        "chained and indexed, beside a consumer that looks at nothing",
                    .sync = "nothing is synced: the topic is the original",
                    .bytes = {{"record", RecordChain(0).next().size()}}};
    figures.push_back(compare(options, work, sides));
}

}  // namespace bos::bench
