#include "tests/sim/simulation.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <unistd.h>

namespace {

using Seconds = std::chrono::duration<double>;

/// Read by the signal handler.
volatile std::sig_atomic_t seed_low = 0;
volatile std::sig_atomic_t seed_high = 0;

/// A broken assertion, or a run that hangs (a wait that nobody ends): the seed is what matters.
void tell_seed(int signal) {
    char text[64];
    const auto seed = (static_cast<unsigned long long>(static_cast<unsigned>(seed_high)) << 32) |
                      static_cast<unsigned>(seed_low);
    const int length = std::snprintf(text, sizeof text, "FAILED seed %llu: %s\n", seed,
                                     signal == SIGALRM ? "it hangs" : "it aborted");
    if (::write(STDOUT_FILENO, text, static_cast<std::size_t>(length)) < 0) std::_Exit(3);
    std::_Exit(2);
}

void note_seed(std::uint64_t seed) {
    seed_low = static_cast<std::sig_atomic_t>(seed & 0xffffffffU);
    seed_high = static_cast<std::sig_atomic_t>(seed >> 32);
}

std::string text_of(const std::map<std::string, std::uint64_t>& faults) {
    std::string text;
    for (const auto& [kind, count] : faults) text += fmt::format(" {} {}", kind, count);
    return text.empty() ? " none" : text;
}

void print(const bos::sim::Report& report) {
    fmt::print("seed {}: {}\n  faults:{}\n", report.seed, report.plan, text_of(report.faults));
    fmt::print("  {} steps, {} starts, {} commits, {} acknowledged, {:.3f} s of virtual time\n",
               report.steps, report.starts, report.commits, report.acknowledged,
               static_cast<double>(report.virtual_micros) / 1e6);
    fmt::print("  digest {}\n", report.digest);
    if (report.violation) fmt::print("FAILED seed {}: {}\n", report.seed, *report.violation);
}

}  // namespace

/// Runs seeds, one after the other, in this one thread.
int main(int argc, char** argv) {
    CLI::App app(
        "Runs log, shard, views and clients of BOS in one thread, with faults drawn from a "
        "seed. The same seed gives the same run.");
    std::uint64_t seed = 1;
    std::uint64_t seeds = 2000;
    double seconds = 120;
    unsigned hang_seconds = 600;
    bool verbose = false;
    bool again = false;
    const CLI::Option* one = app.add_option("--seed", seed, "one seed; with --seeds the first one");
    const CLI::Option* many =
        app.add_option("--seeds", seeds, "how many, one after the other")->envname("BOS_SIM_SEEDS");
    app.add_option("--seconds", seconds, "begin no further seed after this time; 0 = no limit")
        ->envname("BOS_SIM_SECONDS");
    app.add_option("--hang-seconds", hang_seconds, "a seed that takes longer has failed");
    app.add_flag("--again", again, "run each seed twice and compare");
    app.add_flag("--verbose", verbose, "print every step");
    CLI11_PARSE(app, argc, argv);
    if (one->count() > 0 && many->count() == 0) seeds = 1;
    spdlog::set_level(spdlog::level::off);
    std::signal(SIGABRT, tell_seed);
    std::signal(SIGSEGV, tell_seed);
    std::signal(SIGALRM, tell_seed);

    const auto begin = std::chrono::steady_clock::now();
    std::map<std::string, std::uint64_t> faults;
    std::uint64_t ran = 0;
    std::uint64_t failed = 0;
    std::uint64_t steps = 0;
    std::uint64_t starts = 0;
    std::uint64_t commits = 0;
    double virtual_seconds = 0;
    for (; ran < seeds; ++ran) {
        if (seconds > 0 && Seconds(std::chrono::steady_clock::now() - begin).count() > seconds)
            break;
        note_seed(seed + ran);
        ::alarm(hang_seconds);
        bos::sim::Report report = bos::sim::simulate(seed + ran, verbose);
        if (again && bos::sim::simulate(seed + ran) != report && !report.violation)
            report.violation = "a second run went otherwise";
        if (report.violation || seeds == 1) print(report);
        std::fflush(stdout);
        failed += report.violation ? 1 : 0;
        for (const auto& [kind, count] : report.faults) faults[kind] += count;
        steps += report.steps;
        starts += report.starts;
        commits += report.commits;
        virtual_seconds += static_cast<double>(report.virtual_micros) / 1e6;
    }
    ::alarm(0);
    fmt::print(
        "{} seeds from {}, {} failed; {} steps, {} starts, {} commits, {:.0f} s of virtual "
        "time\nfaults:{}\n",
        ran, seed, failed, steps, starts, commits, virtual_seconds, text_of(faults));
    // Apart: all else is the same in each run.
    fmt::print(stderr, "in {:.1f} s\n", Seconds(std::chrono::steady_clock::now() - begin).count());
    return failed == 0 ? 0 : 1;
}
