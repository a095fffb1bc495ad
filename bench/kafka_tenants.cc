#include "bench/figure.h"
#include "bench/kafka_cluster.h"
#include "bench/lead_node.h"
#include "bench/paced_tenants.h"
#include "bench/temp_folder.h"
#include "bench/workloads.h"
#include "tests/kafka/brokers.h"

#include <fmt/format.h>

#include <future>
#include <utility>

// A thousand small tenants and a busy one on a node: what each costs the other. In process, since
// the question is about the shard, the engine's one thread and the views; a client of a thousand
// tenants over HTTP would take most of the machine for itself, and commands_http has that part.

namespace bos::bench {

namespace {

constexpr std::size_t busy_depth = 256;
constexpr std::size_t quick_tenants = 50;

/// What is measured while the other goes on beside it.
template <class Measure, class Load>
Measured beside(Load&& load, Measure&& measure, double seconds) {
    auto other = std::async(std::launch::async, [&] { return load(seconds); });
    Measured measured = measure(seconds);
    static_cast<void>(other.get());
    return measured;
}

}  // namespace

void kafka_tenants(const Options& options, boost::json::array& figures) {
    kafka::test::Brokers brokers;
    const TempFolder folder(options.folder);
    const std::size_t count = options.quick ? quick_tenants : options.tenants;
    LeadNode busy(folder.path() / "data", one_broker(brokers.bootstrap(), "tenants"));
    const auto start = SteadyClock::now();
    PacedTenants small(busy.node(), count);
    const std::uint64_t making_ms = nanoseconds_since(start) / 1'000'000;
    const auto run_small = [&](double seconds) { return small.run(seconds); };
    const auto run_busy = [&](double seconds) { return busy.mix(busy_depth, seconds); };
    const std::string sync = "acks=all of one replica: in the broker's page cache";
    const Work of_small{
        .name = fmt::format("kafka_tenants.{}_small", count),
        .unit = "commands",
        .what = fmt::format(
            "{} tenants on one node in process, the log on Kafka, one shard; one command of each "
            "every second, timed from when it was due; beside a tenant with {} commands under way "
            "all the time, and without it",
            count, busy_depth),
        .sync = sync};
    boost::json::object figure = compare(
        options, of_small,
        {{"beside_busy", [&](double seconds) { return beside(run_busy, run_small, seconds); }},
         {"alone", run_small}});
    figure["tenants_made_in_ms"] = making_ms;
    figures.push_back(std::move(figure));
    const Work of_busy{
        .name = fmt::format("kafka_tenants.busy_beside_{}", count),
        .unit = "commands",
        .what = fmt::format("the tenant with {} commands under way, beside the {} small ones, and "
                            "without them",
                            busy_depth, count),
        .sync = sync};
    figures.push_back(compare(
        options, of_busy,
        {{"beside_small", [&](double seconds) { return beside(run_small, run_busy, seconds); }},
         {"alone", run_busy}}));
}

}  // namespace bos::bench
