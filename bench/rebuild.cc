#include "bench/figure.h"
#include "bench/lead_node.h"
#include "bench/must.h"
#include "bench/raw_rows.h"
#include "bench/temp_folder.h"
#include "bench/workloads.h"

#include <fmt/format.h>

namespace bos::bench {

namespace {

void fill(LeadNode& node, std::size_t count) {
    const std::vector<leads::LeadId> leads = node.capture(count);
    node.each(leads, &LeadRequests::score);
    node.each(leads, &LeadRequests::change);
    node.each(leads, &LeadRequests::tag);
}

struct Size {
    std::uint64_t commits = 0;
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
};

Size size_of(const eventstore::EventLog& log) {
    Size size;
    const eventstore::Head head = must(log.head(bench_tenant()));
    must(log.scan(bench_tenant(), Position{1}, head.position,
                  [&](Position, std::string_view record) {
                      ++size.commits;
                      size.events += must(eventstore::decode(record)).events.size();
                      size.bytes += record.size();
                      return true;
                  }));
    return size;
}

Measured rebuild_once(gateway::Node& node, std::uint64_t events, unsigned threads) {
    projections::RebuildOptions options;
    options.threads = threads;
    const auto start = SteadyClock::now();
    must(node.runner().rebuild(bench_tenant(), node.log(), options));
    const auto end = SteadyClock::now();
    return {.count = events,
            .seconds = std::chrono::duration<double>(end - start).count(),
            .latencies_ns = {nanoseconds_since(start, end)}};
}

}  // namespace

void rebuild(const Options& options, boost::json::array& figures) {
    const TempFolder folder(options.folder);
    const std::size_t count = options.quick ? options.leads / 5 : options.leads;
    LeadNode leads(folder.path() / "data");
    fill(leads, count);
    const Size size = size_of(leads.node().log());
    static_cast<void>(rebuild_once(leads.node(), size.events, 1));  // warms up, too
    const RawRows rows(folder.path() / "data" / "views");
    const std::vector<Side> sides{
        {"serial", [&](double) { return rebuild_once(leads.node(), size.events, 1); }},
        {"raw_rocksdb",
         [&](double) {
             // In events too: how fast RocksDB alone takes what that many events come to.
             Measured measured = rows.put_all(options.folder);
             measured.count = size.events;
             return measured;
         }},
        {"threads_2", [&](double) { return rebuild_once(leads.node(), size.events, 2); }}};
    const Work work{
        .name = "rebuild",
        .unit = "events",
        .what = fmt::format("Runner::rebuild of all views from {} commits with {} events of {} "
                            "leads (percentiles: of whole runs); beside {} rows of the same bytes "
                            "put into raw RocksDB in the order of their keys",
                            size.commits, size.events, count, rows.rows()),
        .sync = "unsynced batches of 8 MiB",
        .bytes = {{"record", size.bytes / size.commits},
                  {"log", size.bytes},
                  {"rows", rows.bytes()}},
        .warm_up = false};
    figures.push_back(compare(options, work, sides));
}

}  // namespace bos::bench
