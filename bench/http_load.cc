#include "bench/http_load.h"

#include <exception>
#include <mutex>
#include <thread>
#include <utility>

namespace bos::bench {

HttpLoad::HttpLoad(std::uint16_t port, std::size_t connections, NextRequest next)
    : next_(std::move(next)) {
    for (std::size_t i = 0; i < connections; ++i)
        connections_.push_back({.client = HttpClient(port)});
}

void HttpLoad::drive(std::size_t connection, SteadyClock::time_point end,
                     std::vector<std::uint64_t>& latencies) {
    Connection& mine = connections_[connection];
    while (SteadyClock::now() < end) {
        const std::string request = next_(connection, mine.requests++, mine.client.body());
        const auto begun = SteadyClock::now();
        static_cast<void>(mine.client.exchange(request));
        latencies.push_back(nanoseconds_since(begun));
    }
}

Measured HttpLoad::run(double seconds) {
    std::vector<std::vector<std::uint64_t>> latencies(connections_.size());
    std::exception_ptr failure;
    std::mutex mutex;  // guards `failure`
    const auto start = SteadyClock::now();
    const auto end = start + std::chrono::duration_cast<SteadyClock::duration>(
                                 std::chrono::duration<double>(seconds));
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < connections_.size(); ++i) {
            threads.emplace_back([&, i] {
                try {
                    drive(i, end, latencies[i]);
                } catch (...) {
                    const std::lock_guard lock(mutex);
                    failure = std::current_exception();
                }
            });
        }
    }
    if (failure) std::rethrow_exception(failure);
    Measured measured;
    measured.seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
    for (const auto& one : latencies) {
        measured.latencies_ns.insert(measured.latencies_ns.end(), one.begin(), one.end());
    }
    measured.count = measured.latencies_ns.size();
    return measured;
}

}  // namespace bos::bench
