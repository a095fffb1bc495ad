#include "bench/lead_node.h"
#include "bench/temp_folder.h"
#include "bench/workloads.h"
#include "schemas/base/json_write.h"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <cmath>
#include <string>
#include <variant>

// What a command leaves on the disk, beside the bytes that a client sends for it.

namespace bos::bench {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

std::uint64_t bytes_under(const fs::path& folder) {
    std::uint64_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file()) bytes += entry.file_size();
    }
    return bytes;
}

std::size_t json_bytes(const commands::Request& request) {
    return std::visit(
        [](const auto& module) {
            return std::visit(
                [](const auto& command) { return to_json(command, ShowPii::plain).size(); },
                module);
        },
        request.command);
}

/// Of the commands of LeadNode::fill: the mean over some leads.
double json_bytes_of_a_command() {
    constexpr std::uint64_t some = 1000;
    LeadRequests requests;
    SystemRandom random;
    std::size_t bytes = 0;
    for (std::uint64_t number = 1; number <= some; ++number) {
        const leads::LeadId lead(new_uuid(SystemClock().now(), random));
        for (const commands::Request& request :
             {requests.capture(number), requests.score(lead, number), requests.change(lead, number),
              requests.tag(lead, number)})
            bytes += json_bytes(request);
    }
    return static_cast<double>(bytes) / (4.0 * some);
}

}  // namespace

void size(const Options& options, json::array& figures) {
    const TempFolder folder(options.folder);
    const fs::path data = folder.path() / "data";
    const std::size_t count = options.quick ? options.leads / 5 : options.leads;
    LeadNode::LogSize log;
    {
        LeadNode leads(data);
        leads.fill(count);
        log = leads.log_size();
    }
    // Opening moves what is in the write-ahead logs to tables.
    {
        const LeadNode again(data);
    }
    const auto commands = static_cast<double>(log.commits);
    json::object of_a_command{{"json", std::llround(json_bytes_of_a_command())},
                              {"record", log.bytes_per_record()}};
    for (const char* part : {"log", "views", "keys"}) {
        of_a_command[part] = std::llround(static_cast<double>(bytes_under(data / part)) / commands);
    }
    fmt::print(stderr, "{:<28} bytes for each of {} commands: {}\n", "size", log.commits,
               json::serialize(of_a_command));
    figures.push_back(json::object{
        {"work", "size"},
        {"what", fmt::format("what {} commands with {} events leave on the disk once a node was "
                             "opened again: capture, score, change and tag of {} leads; json: what "
                             "a client sends for one; record: what is hashed and kept of one",
                             log.commits, log.events, count)},
        {"unit", "bytes for each command"},
        {"sync", "nothing is timed"},
        {"bytes", std::move(of_a_command)},
        {"commits", log.commits},
        {"events", log.events}});
}

}  // namespace bos::bench
