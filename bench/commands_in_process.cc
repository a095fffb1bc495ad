#include "bench/appenders.h"
#include "bench/figure.h"
#include "bench/lead_node.h"
#include "bench/workloads.h"

#include <fmt/format.h>

namespace bos::bench {

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
        figure["bytes"] = {{"record", leads.log_size().bytes_per_record()},
                           {"record_of_log_append", RecordChain(0).next().size()}};
        figures.push_back(std::move(figure));
    }
}

}  // namespace bos::bench
