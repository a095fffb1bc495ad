#include "tests/sim/plan.h"

#include <fmt/format.h>

#include <array>

namespace bos::sim {

namespace {

constexpr std::uint64_t plans = 0x706c616e;  // apart from what the run draws

template <std::size_t size>
std::size_t one_of(Draws& draws, const std::array<std::size_t, size>& values) {
    return values.at(draws.below(size));
}

Duration up_to(Draws& draws, Duration longest) {
    return Duration(draws.between(0, longest.count()));
}

}  // namespace

Plan Plan::of(std::uint64_t seed) {
    using std::chrono::milliseconds;
    Draws draws(seed ^ (plans << 32));
    Plan plan;
    plan.seed = seed;
    plan.engine = draws.one_in(3) ? Engine::memory : Engine::embedded;
    const bool memory = plan.engine == Engine::memory;
    plan.owners = memory && !draws.one_in(3) ? 2 : 1;
    plan.tenants = 1 + draws.below(3);
    plan.clients = 1 + draws.below(8);
    plan.requests = 10 + draws.below(90);
    plan.append_latency_max = up_to(draws, milliseconds(20));
    plan.think_max = up_to(draws, milliseconds(20));
    plan.patience = milliseconds(20) + up_to(draws, milliseconds(2000));
    if (!draws.one_in(20)) plan.trouble_every = milliseconds(2) + up_to(draws, milliseconds(100));
    const auto rate = [&](std::uint64_t most) { return draws.one_in(3) ? 0 : draws.below(most); };
    plan.crash_rate = rate(150);
    plan.crash_at_op_rate = rate(300);
    plan.append_rate = memory ? rate(500) : 0;
    plan.sync_rate = memory ? 0 : rate(100);
    plan.full_rate = memory ? 0 : rate(150);
    plan.clock_rate = rate(100);
    plan.erasure_rate = draws.one_in(3) ? rate(100) : 0;
    plan.memtable_bytes = one_of<3>(draws, {128 << 10, 512 << 10, 4 << 20});
    plan.view_buffer_bytes = one_of<3>(draws, {64 << 10, 256 << 10, 4 << 20});
    plan.bulk_entries = one_of<4>(draws, {4, 16, 64, 4096});
    return plan;
}

std::string Plan::text() const {
    return fmt::format(
        "engine {} owners {} tenants {} clients {} requests {} append-latency {}us think {}us "
        "patience {}us trouble-every {}us crash {} crash-at-op {} append {} sync {} full {} clock "
        "{} erasure {} memtable {} view-buffer {} bulk {}",
        engine == Engine::memory ? "memory" : "embedded", owners, tenants, clients, requests,
        append_latency_max.count(), think_max.count(), patience.count(), trouble_every.count(),
        crash_rate, crash_at_op_rate, append_rate, sync_rate, full_rate, clock_rate, erasure_rate,
        memtable_bytes, view_buffer_bytes, bulk_entries);
}

}  // namespace bos::sim
