#include "bench/bare_kafka.h"
#include "bench/closed_loop.h"
#include "bench/figure.h"
#include "bench/kafka_cluster.h"
#include "bench/lead_node.h"
#include "bench/temp_folder.h"
#include "bench/workloads.h"
#include "tests/kafka/brokers.h"

#include <fmt/format.h>

// Whole commands with the log on Kafka, beside librdkafka alone with records of their size.

namespace bos::bench {

namespace {

/// Of librdkafka's rate, with 256 under way: what there is to reach.
constexpr double rate_bar = 0.35;
constexpr std::size_t depth_of_bar = 256;

/// librdkafka alone, with messages of one size.
class BareLoad {
  public:
    BareLoad(const std::string& brokers, const std::string& topic) : producer_(brokers, topic) {}

    [[nodiscard]] Measured run(std::size_t depth, std::size_t bytes, double seconds) {
        return loop_.run(depth, seconds, [&](std::size_t lane) {
            producer_.append(std::string(bytes, '.'),
                             [this, lane](bool ok) { loop_.finished(lane, ok); });
            return true;
        });
    }

  private:
    ClosedLoop loop_;
    BareProducer producer_;  // last: its thread answers into the loop
};

/// Of the mix, when it is under way: the tenant's first record makes its pipelines, too.
std::uint64_t bytes_per_record(LeadNode& leads) {
    constexpr std::size_t lanes = 4;
    constexpr double seconds = 0.5;
    static_cast<void>(leads.mix(1, seconds / 10));
    const LeadNode::LogSize before = leads.log_size();
    static_cast<void>(leads.mix(lanes, seconds));
    const LeadNode::LogSize after = leads.log_size();
    return (after.bytes - before.bytes) / (after.commits - before.commits);
}

}  // namespace

void kafka_commands(const Options& options, boost::json::array& figures) {
    kafka::test::Brokers brokers;
    for (const std::size_t depth : {std::size_t{1}, std::size_t{16}, depth_of_bar}) {
        const TempFolder folder(options.folder);
        LeadNode leads(folder.path() / "data",
                       one_broker(brokers.bootstrap(), fmt::format("commands{}", depth)));
        LeadNode decider(folder.path() / "decider",
                         one_broker(brokers.bootstrap(), fmt::format("decider{}", depth)), false);
        BareLoad bare(brokers.bootstrap(), fmt::format("bare.{}", depth));
        const std::uint64_t record_bytes = bytes_per_record(leads);
        const std::vector<Side> sides{
            {"commands", [&](double seconds) { return leads.mix(depth, seconds); }},
            {"without_views", [&](double seconds) { return decider.mix(depth, seconds); }},
            {"bare_librdkafka",
             [&](double seconds) { return bare.run(depth, record_bytes, seconds); }}};
        const Work work{
            .name = fmt::format("kafka_commands.{}", depth),
            .unit = "commands",
            .what =
                "one capture, two scores and two changes of a lead in turn, one tenant, one shard, "
                "so many under way at once, through to the answer (decided, acknowledged by Kafka, "
                "in all views); beside as many messages of the same size produced by librdkafka "
                "alone, idempotent, to a topic of the same broker on this machine; without_views: "
                "a node with the role commands only, whose views are another node's work",
            .sync = "acks=all of one replica: in the broker's page cache",
            .bytes = {{"record", record_bytes}}};
        boost::json::object figure = compare(options, work, sides);
        if (depth == depth_of_bar) figure["bar"] = {{"rate", rate_bar}};
        figures.push_back(std::move(figure));
    }
}

}  // namespace bos::bench
