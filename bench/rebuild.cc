#include "bench/figure.h"
#include "bench/lead_node.h"
#include "bench/must.h"
#include "bench/raw_rows.h"
#include "bench/temp_folder.h"
#include "bench/workloads.h"

#include <fmt/format.h>

namespace bos::bench {

namespace {

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
    leads.fill(count);
    const LeadNode::LogSize size = leads.log_size();
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
        .sync = "files, synced; raw RocksDB: unsynced batches of 8 MiB",
        .bytes = {{"record", size.bytes_per_record()}, {"log", size.bytes}, {"rows", rows.bytes()}},
        .warm_up = false};
    figures.push_back(compare(options, work, sides));
}

}  // namespace bos::bench
