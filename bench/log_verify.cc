#include "bench/appenders.h"
#include "bench/figure.h"
#include "bench/must.h"
#include "bench/workloads.h"

#include <fmt/format.h>

#include <algorithm>

namespace bos::bench {

namespace {

// What there is to reach: one of the two.
constexpr double rate_bar = 1e6;
constexpr double share_of_sha256_bar = 0.7;

/// Hands over as many records at once as the log's queue takes.
std::vector<std::string> fill(const TempFolder& folder, std::size_t count) {
    constexpr std::size_t at_once = 8192;
    RecordChain chain(0);
    std::vector<std::string> records;
    for (std::size_t i = 0; i < count; ++i) records.push_back(chain.next());
    eventstore::RocksLogOptions options;
    options.path = (folder.path() / "log").string();
    ClosedLoop loop;
    const auto log = must(eventstore::RocksLog::open(std::move(options)));
    std::size_t sent = 0;
    static_cast<void>(loop.run(at_once, 3600, [&](std::size_t lane) {
        if (sent == count) return false;
        log->append(records[sent++], [&loop, lane](const Result<eventstore::Head>& head) {
            loop.finished(lane, head.has_value());
        });
        return true;
    }));
    return records;
}

template <class Work>
Measured timed(std::uint64_t count, const Work& work) {
    const auto start = SteadyClock::now();
    work();
    const auto end = SteadyClock::now();
    return {.count = count,
            .seconds = std::chrono::duration<double>(end - start).count(),
            .latencies_ns = {nanoseconds_since(start, end)}};
}

}  // namespace

void log_verify(const Options& options, boost::json::array& figures) {
    const TempFolder folder(options.folder);
    const std::size_t count = options.quick ? 50'000 : 300'000;
    const std::vector<std::string> records = fill(folder, count);
    std::uint64_t bytes = 0;
    for (const std::string& record : records) bytes += record.size();
    eventstore::RocksLogOptions log_options;
    log_options.path = (folder.path() / "log").string();
    const auto log = must(eventstore::RocksLog::open(std::move(log_options)));
    const TenantId tenant = must(log->tenants()).front();

    const std::vector<Side> sides{
        {"verify",
         [&](double) {
             return timed(count, [&] { must(eventstore::verify_chain(*log, tenant)); });
         }},
        {"sha256", [&](double) {
             return timed(count, [&] {
                 Hash sum;
                 for (const std::string& record : records) sum = eventstore::hash_of(record);
                 if (sum != must(log->head(tenant)).hash)
                     throw std::runtime_error("the log ends with another record");
             });
         }}};
    const Work work{
        .name = "log_verify",
        .unit = "records",
        .what = fmt::format("verify_chain over {} records of one tenant (percentiles: "
                            "of whole runs), beside SHA-256 of the same bytes in memory",
                            count),
        .sync = "nothing is written",
        .bytes = {{"record", bytes / count}, {"log", bytes}},
        .bytes_per_unit = static_cast<double>(bytes) / static_cast<double>(count)};
    boost::json::object figure = compare(options, work, sides);
    figure["bar"] = {{"rate_per_second", rate_bar}, {"or_rate", share_of_sha256_bar}};
    figures.push_back(std::move(figure));
}

}  // namespace bos::bench
