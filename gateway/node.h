#pragma once

#include "commands/shard.h"
#include "eventstore/event_log.h"
#include "eventstore/kafka_log.h"
#include "eventstore/key_store.h"
#include "gateway/open_log.h"
#include "projections/events_publisher.h"
#include "projections/runner.h"
#include "projections/view_store.h"
#include "schemas/base/random.h"
#include "schemas/base/time.h"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

namespace bos::gateway {

/// The stores of a data folder, opened for one process:
///
///     <data>/log/       the log, see eventstore/rocks_log.h
///     <data>/replica/   instead of it, where the log is on Kafka: a copy of what the topics hold
///     <data>/keys/      the key store; on Kafka <data>/shared-keys/, a copy
///     <data>/views/     the views; disposable
struct Stores {
    std::unique_ptr<eventstore::KeyStore>
        keys;  // the log's commits wait for it: it outlives the log
    std::unique_ptr<eventstore::EventLog> log;
    eventstore::KafkaLog* kafka = nullptr;  ///< the log, when it is on Kafka
    std::unique_ptr<projections::ViewStore> views;
};

struct NodeOptions {
    std::filesystem::path data = "data";
    KafkaCluster kafka = {};
    /// Publish what is committed to the events topics; only where the log is on Kafka.
    bool events = false;
    /// File that wraps the keys of personal data; empty = <data>/master.key.
    std::string master_key = {};
    /// Threads that own tenants. Commands of one tenant use one; more than the cores only take
    /// turns.
    std::size_t shards = 1;
    commands::ShardLimits limits;
    bool keeps_views = true;  ///< false: a node of a cluster that only decides or passes on
};

/// Everything between the log and the gateway, wired together: stores, runner, shards and their
/// threads.
class Node final : private commands::CommitSink {
  public:
    /// Errors name what could not be opened and what to do.
    [[nodiscard]] static Result<std::unique_ptr<Node>> open(const NodeOptions& options,
                                                            Clock& clock, Random& random);
    ~Node() override;

    /// Brings every tenant's views up to the log. `progress` is told the tenant and how far it is.
    using TenantProgress = std::function<void(const TenantId&, Position done, Position all)>;
    [[nodiscard]] Result<void> catch_up(const TenantProgress& progress = {});
    /// Makes the views of a tenant live, before its first commit too. Thread-safe; costs a look
    /// when it was done before.
    [[nodiscard]] Result<void> open_tenant(const TenantId& tenant);

    /// What this node knows of its log is in files, for who reads them beside it. Blocks. Errors:
    /// full.
    [[nodiscard]] Result<void> settle();

    /// Of a log on Kafka: keeps up with what other nodes write to the tenant, until it is written
    /// here, and makes its views live. Thread-safe; blocks while views are built.
    [[nodiscard]] Result<void> follow(const TenantId& tenant);
    /// Of a log on Kafka: reads what the tenant's topic and that of the keys have now and lets the
    /// shard forget what it knew. `done` runs on the shard, or on a thread of the log. Thread-safe.
    void renew(const TenantId& tenant, std::move_only_function<void(const Result<void>&)> done);

    /// Starts the threads of the shards. Before it, nothing runs.
    void start();
    /// Answers every command in flight, then stops the threads and the log. False when the deadline
    /// cut it short.
    bool stop(std::chrono::milliseconds deadline);

    [[nodiscard]] commands::Shard& shard_of(const TenantId& tenant);
    [[nodiscard]] eventstore::EventLog& log() { return *stores_.log; }
    [[nodiscard]] eventstore::KafkaLog* kafka() { return stores_.kafka; }
    [[nodiscard]] eventstore::KeyStore& keys() { return *stores_.keys; }
    [[nodiscard]] const eventstore::FieldSealer& sealer() const { return sealer_; }
    [[nodiscard]] projections::ViewStore& views() { return *stores_.views; }
    [[nodiscard]] projections::Runner& runner() { return runner_; }
    [[nodiscard]] Clock& clock() { return clock_; }
    [[nodiscard]] Random& random() { return random_; }
    [[nodiscard]] std::size_t commands_in_flight() const;
    /// Null where no events are published.
    [[nodiscard]] const std::shared_ptr<projections::EventsPublisher>& events() { return events_; }

  private:
    /// A shard, and beside it what projects its commits: it decides while they are applied.
    struct ShardThread {
        boost::asio::io_context context{1};
        std::unique_ptr<commands::Shard> shard;
        boost::asio::io_context projecting{1};
        std::unordered_set<TenantId> behind;  ///< whose views stand still; of the projector
        std::thread projector;
        std::thread thread;
    };

    Node(Stores stores, const NodeOptions& options, Clock& clock, Random& random);

    [[nodiscard]] projections::LogEnd end_of_log(const TenantId& tenant) const;
    /// Views that stand beyond the log belong to another one: they are thrown away and built anew.
    [[nodiscard]] Result<void> open_views(const TenantId& tenant,
                                          const projections::Progress& progress);

    [[nodiscard]] bool is_open(const TenantId& tenant);
    /// Others have written to the log: the tenant's projector brings its views up to it.
    void log_grew(const TenantId& tenant);
    [[nodiscard]] ShardThread& thread_of(const TenantId& tenant);

    /// Runs on: tenant shard.
    void committed(const TenantId& tenant, std::vector<eventstore::Commit> commits,
                   Applied applied) override;
    /// Runs on: the tenant's projector.
    void project(const TenantId& tenant, std::span<const eventstore::Commit> commits);
    /// Tries until the views go on: a tenant that stands still may have no next commit.
    void project_later(const TenantId& tenant);

    // Constant after construction.
    Stores stores_;
    Clock& clock_;
    Random& random_;
    eventstore::FieldSealer sealer_;
    projections::Runner runner_;
    const bool keeps_views_;
    std::shared_ptr<projections::EventsPublisher> events_;  ///< or null
    std::vector<std::unique_ptr<ShardThread>> shards_;
    bool running_ = false;

    std::mutex grew_mutex_;
    std::unordered_set<TenantId>
        grew_;  ///< on their way to their projectors; guarded by grew_mutex_

    std::shared_mutex opened_mutex_;  ///< guards opened_
    std::unordered_set<TenantId> opened_;
};

/// Opens the stores of a data folder. Errors: invalid = the folder is that of the other kind of
/// log; others name what could not be opened.
[[nodiscard]] Result<Stores> open_stores(const std::filesystem::path& data,
                                         const KafkaCluster& kafka, const std::string& master_key);

}  // namespace bos::gateway
