#include "bench/appenders.h"
#include "bench/disk_probe.h"
#include "bench/figure.h"
#include "bench/workloads.h"

#include <fmt/format.h>

namespace bos::bench {

void log_append(const Options& options, boost::json::array& figures) {
    for (const std::size_t writers : concurrencies) {
        LogAppenders ours(options.folder, writers);
        RawAppenders raw(options.folder, writers);
        std::vector<Side> sides{{"log", [&](double seconds) { return ours.run(seconds); }},
                                {"raw_rocksdb", [&](double seconds) { return raw.run(seconds); }}};
        const TempFolder folder(options.folder);
        DiskProbe probe(folder.path());
        if (writers == 1) {
            sides.push_back({"fdatasync", [&](double seconds) { return probe.measure(seconds); }});
        }
        const Work work{
            .name = fmt::format("log_append.{}", writers),
            .unit = "records",
            .what =
                "records appended to the embedded log in process, one tenant per writer, beside "
                "the same bytes in raw RocksDB batches grouped by one thread",
            .sync = "every record durable (WAL fdatasync per group) before its writer goes on",
            .bytes = {{"record", RecordChain(0).next().size()}}};
        figures.push_back(compare(options, work, sides));
    }
}

}  // namespace bos::bench
