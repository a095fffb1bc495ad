#include "tests/sim/process.h"

#include "eventstore/rocks_log.h"
#include "projections/views.h"
#include "tests/sim/disk_env.h"
#include "tests/sim/lane_executor.h"

#include <fmt/format.h>

#include <utility>

namespace bos::sim {

namespace {
constexpr std::uint32_t shard_lane = 1;
constexpr std::uint32_t projector_lane = 2;
}  // namespace

Process::Process(Machine& machine, std::size_t place, Committed committed)
    : machine_(machine),
      owner_(static_cast<Scheduler::Owner>(place + 1)),
      keeps_views_(place == 0),
      committed_(std::move(committed)),
      disk_(machine.disks.at(place)),
      faults_(machine, disk_),
      env_(disk_env(*disk_, machine.scheduler, machine.clock, owner_)) {}

Process::~Process() {
    // What runs from here on is the end of the objects, not of the process: nobody sees it.
    ending_ = true;
    machine_.scheduler.drop(owner_);
    if (log_) log().stop();
    machine_.scheduler.drop(owner_);
    shard_.reset();
    runner_.reset();
    views_.reset();
    faulty_.reset();
    log_.reset();
    machine_.scheduler.drop(owner_);
}

Result<void> Process::open(std::span<const TenantId> tenants) {
    BOS_CHECK(open_log());
    if (keeps_views_) BOS_CHECK(open_views(tenants));
    shard_ = std::make_unique<commands::Shard>(
        LaneExecutor(machine_.scheduler, {owner_, shard_lane, "shard"}, context_),
        commands::Surroundings{.log = log(),
                               .keys = machine_.keys,
                               .sealer = machine_.sealer,
                               .sink = *this,
                               .clock = machine_.clock,
                               .random = machine_.random});
    return {};
}

eventstore::Post Process::log_steps() {
    return [this](eventstore::Step step) {
        const Duration delay(machine_.draws.between(0, machine_.plan.append_latency_max.count()));
        machine_.scheduler.post({owner_, 0, "log"}, std::move(step), delay);
    };
}

Result<void> Process::open_log() {
    if (machine_.plan.engine == Engine::memory) {
        log_ = std::make_unique<eventstore::MemoryLog>(log_steps(), machine_.records);
        faulty_ = std::make_unique<eventstore::test::FaultyLog>(*log_);
        return {};
    }
    eventstore::RocksLogOptions options;
    options.path = "/log";
    options.env = env_.get();
    options.cache_bytes = 1 << 20;
    options.memtable_bytes = machine_.plan.memtable_bytes;
    options.bulk_entries = machine_.plan.bulk_entries;
    options.before_write = [this] { return machine_.keys.sync(); };
    options.fatal = [this](std::string_view why) {
        machine_.trace.note("fatal: {}", why);
        // The kernel forgets which pages a failed sync did not write.
        faults_.crash("fatal", DiskFaults::End::power_loss);
    };
    options.post = log_steps();
    BOS_TRY(log_, eventstore::RocksLog::open(std::move(options)));
    return {};
}

Result<void> Process::open_views(std::span<const TenantId> tenants) {
    projections::ViewStoreOptions options;
    options.path = "/views";
    options.on_corruption = projections::OnCorruption::start_empty;
    options.env = env_.get();
    options.cache_bytes = 1 << 20;
    options.write_buffer_bytes = machine_.plan.view_buffer_bytes;
    options.fatal = [this](std::string_view why) {
        machine_.trace.note("fatal: {}", why);
        faults_.crash("fatal", DiskFaults::End::kill);
    };
    BOS_TRY(views_, projections::ViewStore::open(options));
    runner_ = std::make_unique<projections::Runner>(
        *views_, projections::ViewSet(projections::Views{}), machine_.sealer);
    for (const TenantId& tenant : tenants) BOS_CHECK(runner_->open(tenant, log()));
    return {};
}

void Process::submit(commands::Request request, commands::Reply reply) {
    shard_->submit(std::move(request), [this, inner = std::move(reply)](auto outcome) mutable {
        if (!crashed() && !ending_) inner(std::move(outcome));
    });
}

void Process::committed(const TenantId& tenant, std::vector<eventstore::Commit> commits,
                        Applied applied) {
    if (!crashed() && !ending_) committed_(tenant, commits);
    if (!keeps_views_) return applied();
    machine_.scheduler.post(
        {owner_, projector_lane, "projector"},
        [this, tenant, batch = std::move(commits), told = std::move(applied)]() mutable {
            project(tenant, batch);
            machine_.scheduler.post({owner_, shard_lane, "shard"}, std::move(told));
        });
}

void Process::project(const TenantId& tenant, std::span<const eventstore::Commit> commits) {
    const auto kept = runner_->keep_up(tenant, commits, log());
    if (!kept && !crashed()) {
        machine_.ledger.violate(
            fmt::format("views of {} stand still: {}", tenant.value(), kept.error().detail));
    }
}

}  // namespace bos::sim
