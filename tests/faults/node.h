#pragma once

#include "commands/shard.h"
#include "eventstore/event_log.h"
#include "eventstore/rocks_key_store.h"
#include "projections/query.h"
#include "projections/runner.h"
#include "projections/view_store.h"
#include "tests/commands/machine.h"
#include "tests/sim/disk.h"
#include "tests/sim/ledger.h"

#include <boost/asio/io_context.hpp>
#include <rocksdb/env.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

namespace bos::faults {

/// What outlives a process.
struct World {
    std::shared_ptr<sim::Disk> disk = std::make_shared<sim::Disk>();
    std::string master_key;  ///< a path on the machine's own disk
    commands::test::SetClock clock;
    commands::test::SetRandom random{1};
    sim::Ledger ledger;
    std::uint64_t seed = 1;  ///< decides what a power loss leaves
};

/// One process: key store, log, views and a shard, wired as gateway/node.cc does it, on a disk that
/// may fail. Commands, appends and views run in the thread of the test; flushes and compactions
/// in threads of their own.
class Node final : private commands::CommitSink {
  public:
    explicit Node(World& world);
    ~Node() override;

    /// As a start does. An error counts only if the process has not ended.
    [[nodiscard]] Result<void> open();
    /// Sends the ledger's request `number` and takes its answer down, if one comes.
    void ask(sim::Ledger::Number number);

    /// It has stopped itself. What it still does reaches nobody.
    [[nodiscard]] bool ended() const;
    /// What the next process finds: of one that has ended, what a power loss at that moment leaves;
    /// else what one now would leave.
    [[nodiscard]] std::shared_ptr<sim::Disk> left() const;

    [[nodiscard]] eventstore::EventLog& log() { return *log_; }
    [[nodiscard]] eventstore::KeyStore& keys() { return *keys_; }
    [[nodiscard]] const eventstore::FieldSealer& sealer() const { return *sealer_; }
    [[nodiscard]] projections::ViewStore& views() { return *views_; }
    [[nodiscard]] projections::Runner& runner() { return *runner_; }
    /// Why the newest commit is not in the views; none = it is.
    [[nodiscard]] const std::optional<Error>& views_stand_still() const { return stand_still_; }

  private:
    [[nodiscard]] Result<void> open_keys();
    [[nodiscard]] Result<void> open_log();
    [[nodiscard]] Result<void> open_views();
    [[nodiscard]] Result<void> open_tenant(const TenantId& tenant);
    void end();
    bool step();

    void committed(const TenantId& tenant, std::vector<eventstore::Commit> commits,
                   Applied applied) override;

    // In the order in which they come up; they go down in the reverse one.
    World& world_;
    const std::shared_ptr<sim::Disk> disk_;
    mutable std::mutex mutex_;
    mutable Draws draws_;              ///< guarded by mutex_
    std::shared_ptr<sim::Disk> left_;  ///< once it has ended; guarded by mutex_
    std::unique_ptr<rocksdb::Env> env_;
    boost::asio::io_context context_{1};
    std::deque<eventstore::Step> steps_;
    std::optional<Error> stand_still_;
    std::set<TenantId> opened_;
    std::unique_ptr<eventstore::KeyStore> keys_;
    std::unique_ptr<eventstore::FieldSealer> sealer_;
    std::unique_ptr<eventstore::EventLog> log_;
    std::unique_ptr<projections::ViewStore> views_;
    std::unique_ptr<projections::Runner> runner_;
    std::unique_ptr<commands::Shard> shard_;
};

}  // namespace bos::faults
