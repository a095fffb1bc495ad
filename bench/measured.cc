#include "bench/measured.h"

#include <algorithm>
#include <cstddef>

namespace bos::bench {

namespace {

/// Nearest rank, of sorted values.
double percentile_us(const std::vector<std::uint64_t>& sorted_ns, double share) {
    if (sorted_ns.empty()) return 0;
    const auto rank = static_cast<std::size_t>(share * static_cast<double>(sorted_ns.size()));
    return static_cast<double>(sorted_ns[std::min(rank, sorted_ns.size() - 1)]) / 1000.0;
}

double median_over(const std::vector<Summary>& rounds, double Summary::* value) {
    std::vector<double> values;
    for (const Summary& round : rounds) values.push_back(round.*value);
    return median_of(std::move(values));
}

}  // namespace

Summary summary_of(Measured measured) {
    std::ranges::sort(measured.latencies_ns);
    return {.rate_per_second =
                measured.seconds > 0 ? static_cast<double>(measured.count) / measured.seconds : 0,
            .p50_us = percentile_us(measured.latencies_ns, 0.5),
            .p99_us = percentile_us(measured.latencies_ns, 0.99),
            .p999_us = percentile_us(measured.latencies_ns, 0.999)};
}

double median_of(std::vector<double> values) {
    if (values.empty()) return 0;
    std::ranges::sort(values);
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

Summary median_of(const std::vector<Summary>& rounds) {
    return {.rate_per_second = median_over(rounds, &Summary::rate_per_second),
            .p50_us = median_over(rounds, &Summary::p50_us),
            .p99_us = median_over(rounds, &Summary::p99_us),
            .p999_us = median_over(rounds, &Summary::p999_us)};
}

std::uint64_t nanoseconds_since(SteadyClock::time_point start, SteadyClock::time_point end) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(end - start).count());
}

}  // namespace bos::bench
