// bos-bench: what the product does per second and how long each takes, beside the limit of it.
#include "bench/constant_server.h"
#include "bench/interrupts.h"
#include "bench/machine.h"
#include "bench/opening.h"
#include "bench/temp_folder.h"
#include "bench/workloads.h"

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cstdio>
#include <linux/magic.h>
#include <sys/vfs.h>

namespace bos::bench {

namespace {

struct Workload {
    std::string_view name;
    void (*run)(const Options&, boost::json::array&);
};

constexpr std::array workloads{Workload{"log_append", &log_append},
                               Workload{"commands_in_process", &commands_in_process},
                               Workload{"commands_http", &commands_http},
                               Workload{"reads_http", &reads_http},
                               Workload{"reads_past", &reads_past},
                               Workload{"rebuild", &rebuild},
                               Workload{"log_verify", &log_verify},
                               Workload{"opening", &opening},
                               Workload{"size", &size},
                               Workload{"kafka_append", &kafka_append},
                               Workload{"kafka_fill", &kafka_fill},
                               Workload{"kafka_commands", &kafka_commands},
                               Workload{"kafka_tenants", &kafka_tenants},
                               Workload{"takeover", &takeover},
                               Workload{"peers", &peers}};

std::vector<std::string> workload_names() {
    std::vector<std::string> names;
    for (const Workload& workload : workloads) names.emplace_back(workload.name);
    return names;
}

void warn_of_memory_disk(const std::filesystem::path& folder) {
    struct statfs status{};
    if (::statfs(folder.c_str(), &status) == 0 && status.f_type == TMPFS_MAGIC) {
        fmt::print(stderr, "{} is in memory: synced writes cost nothing there; see --folder\n",
                   folder.string());
    }
}

/// One document, one figure to a line.
void print(const boost::json::object& machine, const Options& options,
           const boost::json::array& figures) {
    fmt::print("{{\"machine\":{},\n\"rounds\":{},\"seconds\":{},\n\"figures\":[\n",
               boost::json::serialize(machine), options.rounds, options.seconds);
    for (std::size_t i = 0; i < figures.size(); ++i) {
        fmt::print("{}{}\n", boost::json::serialize(figures[i]), i + 1 < figures.size() ? "," : "");
    }
    fmt::print("]}}\n");
}

int run(Options options) {
    const boost::json::object machine = describe_machine();
    warn_of_memory_disk(options.folder);
    const TempFolder all(options.folder);
    options.folder = all.path();
    remove_when_interrupted(options.folder);
    boost::json::array figures;
    for (const Workload& workload : workloads) {
        if (options.only.empty() || options.only == workload.name) workload.run(options, figures);
    }
    print(machine, options, figures);
    return 0;
}

}  // namespace

}  // namespace bos::bench

int main(int argc, char** argv) {
    using namespace bos::bench;  // NOLINT: the program's own namespace
    spdlog::set_default_logger(spdlog::stderr_logger_mt("bench"));  // standard output is the JSON's
    spdlog::set_level(spdlog::level::warn);
    Options options;
    options.folder = std::filesystem::temp_directory_path();
    options.binary = std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() /
                     "gateway" / "bos";
    std::size_t constant_bytes = 0;

    CLI::App app{"Benchmarks of BOS, each beside its limit. JSON on standard output."};
    const CLI::Option* seconds =
        app.add_option("--seconds", options.seconds, "Of each side in each round")
            ->check(CLI::Range(0.05, 60.0))
            ->capture_default_str();
    const CLI::Option* rounds = app.add_option("--rounds", options.rounds, "Figures are medians")
                                    ->check(CLI::Range(1, 100))
                                    ->capture_default_str();
    app.add_option("--only", options.only, "One workload")->check(CLI::IsMember(workload_names()));
    app.add_option("--leads", options.leads, "Leads that are read and that views are rebuilt from")
        ->check(CLI::Range(1000, 1'000'000))
        ->capture_default_str();
    app.add_option("--tenants", options.tenants, "Small tenants: beside a busy one, or asleep")
        ->check(CLI::Range(2, 100'000))
        ->capture_default_str();
    app.add_option("--events", options.events, "Of the tenant that is opened, or taken over")
        ->check(CLI::Range(1000, 10'000'000))
        ->capture_default_str();
    app.add_flag("--quick", options.quick, "Short rounds over less data: to see that it runs");
    app.add_option("--folder", options.folder, "Where temporary data goes: the disk to measure")
        ->check(CLI::ExistingDirectory)
        ->capture_default_str();
    app.add_option("--bos", options.binary, "The binary that is measured over HTTP")
        ->capture_default_str();
    app.add_option("--emmett", options.emmett, "Scripts of the peer (see bench/peers/run)");
    app.add_option("--emmett-processes", options.emmett_processes, "That share its port")
        ->capture_default_str();
    app.add_option("--postgres", options.postgres, "Folder of the socket of the peer's database");
    const CLI::Option* constant = app.add_option(
        "--constant-server", constant_bytes, "Serve a constant body of so many bytes (own use)");
    std::filesystem::path fill_events;
    std::filesystem::path fill_tenants;
    std::size_t fill_count = 0;
    app.add_option("--fill-events", fill_events, "Fill a folder, wait to be killed (own use)");
    app.add_option("--fill-tenants", fill_tenants, "Fill a folder, wait to be killed (own use)");
    app.add_option("--fill-count", fill_count, "With so many (own use)");
    CLI11_PARSE(app, argc, argv);
    if (options.quick && !*seconds) options.seconds = 0.15;
    if (options.quick && !*rounds) options.rounds = 2;
    try {
        if (!fill_events.empty()) return fill_events_until_killed(fill_events, fill_count);
        if (!fill_tenants.empty()) return fill_tenants_until_killed(fill_tenants, fill_count);
        return *constant ? run_constant_server(constant_bytes) : run(options);
    } catch (const std::exception& error) {
        fmt::print(stderr, "bos-bench: {}\n", error.what());
        return 1;
    }
}
