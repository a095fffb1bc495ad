#pragma once

#include "commands/shard.h"
#include "eventstore/event_log.h"
#include "projections/runner.h"
#include "projections/view_store.h"
#include "tests/eventstore/faulty_log.h"
#include "tests/sim/disk_faults.h"
#include "tests/sim/machine.h"

#include <boost/asio/execution_context.hpp>
#include <rocksdb/env.h>

#include <functional>
#include <memory>
#include <span>

namespace bos::sim {

/// One process: log, shard and (of the first owner) views, wired as gateway/node.cc does it, all of
/// it steps of one owner. Its end is a crash, wherever it stands.
class Process final : private commands::CommitSink {
  public:
    using Committed = std::function<void(const TenantId&, std::span<const eventstore::Commit>)>;

    /// `place` of the machine's disks.
    Process(Machine& machine, std::size_t place, Committed committed);
    ~Process() override;

    /// Recovers as a start does. An error counts only if crashed() is false.
    [[nodiscard]] Result<void> open(std::span<const TenantId> tenants);

    /// `reply` is not called any more once the process has crashed.
    void submit(commands::Request request, commands::Reply reply);

    [[nodiscard]] eventstore::EventLog& log() { return faulty_ ? *faulty_ : *log_; }
    [[nodiscard]] eventstore::test::FaultyLog* faulty_log() { return faulty_.get(); }
    /// Null: keeps none.
    [[nodiscard]] projections::ViewStore* views() { return views_.get(); }
    [[nodiscard]] projections::Runner& runner() { return *runner_; }
    [[nodiscard]] DiskFaults& faults() { return faults_; }
    [[nodiscard]] bool crashed() const { return faults_.crashed(); }

  private:
    [[nodiscard]] Result<void> open_log();
    [[nodiscard]] Result<void> open_views(std::span<const TenantId> tenants);
    [[nodiscard]] eventstore::Post log_steps();

    void committed(const TenantId& tenant, std::vector<eventstore::Commit> commits,
                   Applied applied) override;
    void project(const TenantId& tenant, std::span<const eventstore::Commit> commits);

    // In the order in which they come up; they go down in the reverse one.
    Machine& machine_;
    const Scheduler::Owner owner_;
    const bool keeps_views_;
    const Committed committed_;
    bool ending_ = false;
    boost::asio::execution_context context_;
    const std::shared_ptr<Disk> disk_;
    DiskFaults faults_;
    std::unique_ptr<rocksdb::Env> env_;
    std::unique_ptr<eventstore::EventLog> log_;
    std::unique_ptr<eventstore::test::FaultyLog> faulty_;
    std::unique_ptr<projections::ViewStore> views_;
    std::unique_ptr<projections::Runner> runner_;
    std::unique_ptr<commands::Shard> shard_;
};

}  // namespace bos::sim
