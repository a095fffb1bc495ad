#include "bench/appenders.h"
#include "bench/figure.h"
#include "bench/lead_node.h"
#include "bench/must.h"
#include "bench/workloads.h"

#include <fmt/format.h>

#include <algorithm>

namespace bos::bench {

namespace {

std::uint64_t bytes_per_record(gateway::Node& node) {
    const eventstore::Head head = must(node.log().head(bench_tenant()));
    std::uint64_t bytes = 0;
    must(node.log().scan(bench_tenant(), Position{1}, head.position,
                         [&](Position, std::string_view record) {
                             bytes += record.size();
                             return true;
                         }));
    return bytes / std::max<std::uint64_t>(head.position.value, 1);
}

}  // namespace

void commands_in_process(const Options& options, boost::json::array& figures) {
    for (const std::size_t lanes : concurrencies) {
        const TempFolder folder(options.folder);
        LeadNode leads(folder.path() / "data");
        LogAppenders log(options.folder, lanes);
        const std::vector<Side> sides{
            {"commands", [&](double seconds) { return leads.mix(lanes, seconds); }},
            {"log_append", [&](double seconds) { return log.run(seconds); }}};
        const Work work{
            .name = fmt::format("commands_in_process.{}", lanes),
            .unit = "commands",
            .what =
                "one capture, two scores and two changes of a lead in turn, one tenant, one "
                "shard, through to the answer (decided, durable, in all views); beside plain "
                "appends of 300-byte records by as many writers",
            .sync = "every command durable and visible before its answer"};
        boost::json::object figure = compare(options, work, sides);
        figure["bytes"] = {{"record", bytes_per_record(leads.node())},
                           {"record_of_log_append", RecordChain(0).next().size()}};
        figures.push_back(std::move(figure));
    }
}

}  // namespace bos::bench
