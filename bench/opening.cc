#include "bench/opening.h"

#include "bench/child_process.h"
#include "bench/figure.h"
#include "bench/lead_node.h"
#include "bench/servers.h"
#include "bench/temp_folder.h"
#include "bench/workloads.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <unistd.h>

// How long a node takes to serve again after it was killed, and what tenants that sleep cost it.

namespace bos::bench {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view filled = "filled";
constexpr std::size_t events_of_a_lead = 5;  // see LeadNode::fill
constexpr std::size_t quick_size = 2'000;

// What there is to reach.
constexpr double large_tenant_bar_us = 1e6;
constexpr double small_tenants_bar_us = 2e6;
constexpr std::uint64_t sleeping_tenant_bar_bytes = 4096;

int wait_to_be_killed() {
    fmt::print("{}\n", filled);
    std::fflush(stdout);
    while (true) ::pause();
}

/// A data folder as a process left it that was killed after its last command.
class KilledFolder {
  public:
    KilledFolder(const Options& options, const fs::path& parent, std::string_view how,
                 std::size_t count)
        : data_(parent / fmt::format("killed{}-{}", how, count)) {
        ChildProcess writer(
            {fs::read_symlink("/proc/self/exe").string(), std::string(how), data_.string(),
             "--fill-count", std::to_string(count), "--bos", options.binary.string()},
            parent / "writer.log");
        if (writer.read_line() != filled) throw std::runtime_error("a folder was not filled");
        writer.signal(SIGKILL);
    }

    /// To be opened in its place: who opens it repairs it.
    void copy_to(const fs::path& other) const {
        fs::remove_all(other);
        fs::copy(data_, other, fs::copy_options::recursive);
    }
    [[nodiscard]] std::uint64_t bytes() const {
        std::uint64_t bytes = 0;
        for (const auto& entry : fs::recursive_directory_iterator(data_)) {
            if (entry.is_regular_file()) bytes += entry.file_size();
        }
        return bytes;
    }

  private:
    const fs::path data_;
};

/// From the start of the process until it serves.
struct Opened {
    Measured time;
    std::uint64_t resident_bytes = 0;
};

Opened open(const Options& options, const fs::path& data) {
    const auto start = SteadyClock::now();
    const BosServer server(options, data);
    const auto end = SteadyClock::now();
    return {.time = {.count = 1,
                     .seconds = std::chrono::duration<double>(end - start).count(),
                     .latencies_ns = {nanoseconds_since(start, end)}},
            .resident_bytes = server.resident_bytes()};
}

struct Openings {
    boost::json::object figure;
    double resident_bytes = 0;  ///< median
};

Openings measure(const Options& options, const fs::path& parent, const KilledFolder& killed,
                 const std::string& name, const std::string& what) {
    const fs::path copy = parent / "opened";
    const fs::path empty = parent / "empty";
    std::vector<double> resident;
    const std::vector<Side> sides{
        {"killed",
         [&](double) {
             killed.copy_to(copy);
             Opened opened = open(options, copy);
             resident.push_back(static_cast<double>(opened.resident_bytes));
             return opened.time;
         }},
        {"empty", [&](double) {
             fs::remove_all(empty);
             return open(options, empty).time;
         }}};
    const Work work{.name = name,
                    .unit = "openings",
                    .what = what +
                            ", killed after its last command: from the start of bos serve "
                            "until it serves (files in the page cache); beside an empty "
                            "folder",
                    .sync = "as the product does when it opens",
                    .bytes = {{"folder", killed.bytes()}},
                    .warm_up = false};
    boost::json::object figure = compare(options, work, sides);
    const double median = median_of(resident);
    figure["resident_bytes"] = median;
    fmt::print(stderr, "{:<28} {:<16} {:>10.1f} MB of memory\n", name, "killed", median / 1e6);
    return {.figure = std::move(figure), .resident_bytes = median};
}

}  // namespace

int fill_events_until_killed(const fs::path& data, std::size_t events) {
    LeadNode node(data);
    node.fill(events / events_of_a_lead);
    return wait_to_be_killed();
}

int fill_tenants_until_killed(const fs::path& data, std::size_t tenants) {
    LeadNode node(data);
    node.capture_for_tenants(tenants);
    return wait_to_be_killed();
}

void opening(const Options& options, boost::json::array& figures) {
    const TempFolder folder(options.folder);
    {
        const std::size_t events = options.quick ? quick_size : options.events;
        const KilledFolder killed(options, folder.path(), "--fill-events", events);
        Openings large = measure(options, folder.path(), killed, "opening_large",
                                 fmt::format("a tenant with {} events", events));
        large.figure["bar"] = {{"p50_us", large_tenant_bar_us}};
        figures.push_back(std::move(large.figure));
    }
    const std::size_t tenants = options.quick ? options.tenants / 5 + 2 : options.tenants;
    const KilledFolder one(options, folder.path(), "--fill-tenants", 1);
    const KilledFolder all(options, folder.path(), "--fill-tenants", tenants);
    const Openings least =
        measure(options, folder.path(), one, "opening_one_tenant", "a tenant with a lead");
    Openings most = measure(options, folder.path(), all, "opening_small_tenants",
                            fmt::format("{} tenants with a lead each", tenants));
    const double each =
        (most.resident_bytes - least.resident_bytes) / static_cast<double>(tenants - 1);
    fmt::print(stderr, "{:<28} {:<16} {:>10.0f} bytes of memory for a tenant that sleeps\n",
               "opening_small_tenants", "killed", each);
    most.figure["resident_bytes_of_a_tenant"] = each;
    most.figure["bar"] = {{"p50_us", small_tenants_bar_us},
                          {"resident_bytes_of_a_tenant", sleeping_tenant_bar_bytes}};
    figures.push_back(std::move(most.figure));
}

}  // namespace bos::bench
