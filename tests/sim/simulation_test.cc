#include "tests/sim/simulation.h"

#include "tests/sim/found_seeds.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

namespace bos::sim {

namespace {

/// What another process prints about a seed: every step, every answer, every change of its disk.
std::string other_process(std::uint64_t seed) {
    const char* binaries = std::getenv("BOS_BINARY_DIR");
    REQUIRE_MESSAGE(binaries != nullptr, "BOS_BINARY_DIR is not set: run by ctest");
    const std::string command =
        fmt::format("{}/tests/sim/bos-sim --seed {} --verbose 2>/dev/null", binaries, seed);
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
    REQUIRE(pipe != nullptr);
    std::string text;
    std::array<char, 4096> part{};
    while (const std::size_t bytes = std::fread(part.data(), 1, part.size(), pipe.get()))
        text.append(part.data(), bytes);
    return text;
}

}  // namespace

TEST_CASE("a seed gives the same run again, whatever ran before it in the process") {
    spdlog::set_level(spdlog::level::off);
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        const Report first = simulate(seed);
        static_cast<void>(simulate(seed + 1000));
        const Report again = simulate(seed);
        CAPTURE(seed);
        CHECK(first == again);
        CHECK(first.digest != simulate(seed + 1).digest);
    }
}

TEST_CASE("a seed gives the same run to the bit in every process") {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        const std::string first = other_process(seed);
        CAPTURE(seed);
        CHECK(first.contains(simulate(seed).digest));
        CHECK(first == other_process(seed));
    }
}

TEST_CASE("bugs that were found stay mended") {
    for (const std::uint64_t seed : found_seeds) {
        const Report report = simulate(seed);
        CAPTURE(seed);
        CHECK(report.violation.value_or("") == "");
    }
}

}  // namespace bos::sim
