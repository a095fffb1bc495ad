#include "bench/figure.h"

#include "bench/disk_probe.h"
#include "bench/temp_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bos::bench {

namespace {

namespace json = boost::json;

constexpr double probe_seconds = 0.1;

/// Three digits; more would be noise.
json::value rounded(double value) {
    if (value == 0 || !std::isfinite(value)) return 0;
    const double scale = std::pow(10.0, 3 - std::ceil(std::log10(std::abs(value))));
    const double digits = std::round(value * scale) / scale;
    if (digits < 100) return digits;
    return std::llround(digits);
}

/// Of the rates of the rounds: lowest and highest.
json::array spread(const std::vector<Summary>& rounds) {
    const auto [lowest, highest] =
        std::ranges::minmax(rounds, {}, [](const Summary& round) { return round.rate_per_second; });
    return {std::llround(lowest.rate_per_second), std::llround(highest.rate_per_second)};
}

json::object to_json(const Summary& summary) {
    return {{"rate_per_second", std::llround(summary.rate_per_second)},
            {"p50_us", rounded(summary.p50_us)},
            {"p99_us", rounded(summary.p99_us)},
            {"p999_us", rounded(summary.p999_us)}};
}

json::object ratios(const std::vector<Summary>& first, const std::vector<Summary>& other) {
    std::vector<double> rates;
    std::vector<double> p50s;
    std::vector<double> p99s;
    for (std::size_t round = 0; round < first.size(); ++round) {
        rates.push_back(first[round].rate_per_second / other[round].rate_per_second);
        p50s.push_back(first[round].p50_us / other[round].p50_us);
        p99s.push_back(first[round].p99_us / other[round].p99_us);
    }
    return {{"rate", rounded(median_of(rates))},
            {"p50", rounded(median_of(p50s))},
            {"p99", rounded(median_of(p99s))}};
}

}  // namespace

json::object compare(const Options& options, const Work& work, const std::vector<Side>& sides) {
    const TempFolder folder(options.folder);
    DiskProbe probe(folder.path());
    std::vector<std::vector<Summary>> rounds(sides.size());
    std::vector<Summary> probes;
    if (work.warm_up) {
        for (const Side& side : sides) static_cast<void>(side.measure(options.warm_up_seconds()));
    }
    for (int round = 0; round < options.rounds; ++round) {
        probes.push_back(summary_of(probe.measure(probe_seconds)));
        for (std::size_t i = 0; i < sides.size(); ++i) {
            rounds[i].push_back(summary_of(sides[i].measure(options.seconds)));
        }
    }

    json::object figure{{"work", work.name},
                        {"what", work.what},
                        {"unit", work.unit},
                        {"sync", work.sync},
                        {"bytes", work.bytes}};
    json::object measured;
    json::object ratio;
    for (std::size_t i = 0; i < sides.size(); ++i) {
        const Summary median = median_of(rounds[i]);
        json::object side = to_json(median);
        side["rate_spread"] = spread(rounds[i]);
        if (work.bytes_per_unit > 0) {
            side["megabytes_per_second"] =
                rounded(median.rate_per_second * work.bytes_per_unit / 1e6);
        }
        measured[sides[i].name] = std::move(side);
        if (i > 0) ratio[sides[i].name] = ratios(rounds[0], rounds[i]);
        fmt::print(stderr,
                   "{:<28} {:<16} {:>10.0f} {}/s  p50 {:>9.1f}  p99 {:>9.1f}  p99.9 {:>9.1f} us\n",
                   work.name, sides[i].name, median.rate_per_second, work.unit, median.p50_us,
                   median.p99_us, median.p999_us);
    }
    figure["sides"] = std::move(measured);
    figure["ratio_to"] = std::move(ratio);
    figure["disk_probe"] = to_json(median_of(probes));
    return figure;
}

}  // namespace bos::bench
