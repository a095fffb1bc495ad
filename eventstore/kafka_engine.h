#pragma once

#include "eventstore/kafka_consumer.h"
#include "eventstore/kafka_ends.h"
#include "eventstore/kafka_inbox.h"
#include "eventstore/kafka_opener.h"
#include "eventstore/kafka_producer.h"
#include "eventstore/kafka_replica.h"
#include "eventstore/kafka_tenant.h"
#include "eventstore/kafka_topics.h"
#include "schemas/base/random.h"

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace bos::eventstore {

struct KafkaEngineOptions {
    kafka::Producer::Options producer;
    kafka::Topics::Options topics;
    KafkaTenant::Limits limits;
    KafkaInbox::Bounds bounds;
    /// Keys must be durable before the first record that names them: KeyStore::when_synced goes
    /// here. Records of the tenant that were appended before the call wait for its `done`, and an
    /// error refuses them. Those of other tenants do not.
    using WhenSynced =
        std::function<void(const TenantId&, std::move_only_function<void(Result<void>)> done)>;
    WhenSynced before_send = [](const TenantId&, auto done) { done({}); };
    Clock* clock = nullptr;    ///< outlives the engine
    Random* random = nullptr;  ///< the same
};

/// One thread that does all: it sends what was appended, folds what is reported and read, fills the
/// replica in one batch for each turn, and then answers. So chains and tenants need no locks.
///
/// Thread-safe.
class KafkaEngine {
  public:
    /// `replica` outlives the engine. Errors: invalid = a property that librdkafka does not take.
    [[nodiscard]] static Result<std::unique_ptr<KafkaEngine>> start(KafkaEngineOptions options,
                                                                    KafkaReplica& replica);
    ~KafkaEngine();
    KafkaEngine(const KafkaEngine&) = delete;
    KafkaEngine& operator=(const KafkaEngine&) = delete;

    void append(std::string record, AppendDone done);
    void confirm(const TenantId& tenant, const Head& end, AppendDone done);
    void follow(KafkaInbox::Follow follow);
    /// See KafkaLog::listen.
    void listen(std::function<void(const TenantId&)> listener);
    /// Answers what is under way, refuses the rest. Not from a done.
    void stop();

    [[nodiscard]] const kafka::Topics& topics() const { return *topics_; }
    /// The cluster is the one that the replica was filled from; the first one is taken for it.
    /// Blocks. Errors: unavailable, corrupt = another cluster.
    [[nodiscard]] Result<void> check_cluster();
    /// Records of the tenant's topic that were read and not valid, since the start.
    [[nodiscard]] std::uint64_t ignored(const TenantId& tenant) const;
    /// See KafkaLog::was_read.
    [[nodiscard]] bool was_read(const TenantId& tenant) const;

  private:
    using Instant = KafkaTenant::Instant;

    KafkaEngine(KafkaEngineOptions options, KafkaReplica& replica);

    // On the opener's thread.
    [[nodiscard]] Result<void> look(const KafkaTenant& tenant, KafkaTenant::Mode mode);
    [[nodiscard]] std::shared_ptr<kafka::Producer> producer() const;

    // On thread_.
    void run();
    void turn();
    [[nodiscard]] KafkaTenant& find(const TenantId& tenant);
    KafkaTenant& touch(KafkaTenant& tenant);
    void deliver(KafkaInbox::Mail mail, KafkaBurst& burst);
    void take_back(const std::vector<kafka::Producer::Report>& came);
    void take_reports(KafkaBurst& burst);
    void report(const kafka::Producer::Report& report, KafkaBurst& burst);
    void take_messages(KafkaBurst& burst);
    void replace_producer(KafkaBurst& burst);
    void act(KafkaBurst& burst);
    void ask_for_keys(KafkaTenant& tenant, std::uint64_t number);
    void send(KafkaTenant& tenant, KafkaBurst& burst);
    void seal(KafkaTenant& tenant);
    void note_reading(const KafkaTenant& tenant);
    void apply(KafkaBurst& burst);
    [[nodiscard]] Result<void> write(const KafkaBurst& burst);
    void answer(KafkaBurst& burst);
    void tell_listener(const KafkaBurst& burst);
    void steer(KafkaBurst& burst);
    void give_up_all(KafkaBurst& burst);
    void refuse_all(KafkaInbox::Mail mail);
    [[nodiscard]] bool has_open() const;
    [[nodiscard]] std::optional<Instant> next_tick() const;

    // Constant after construction, and thread-safe.
    const KafkaEngineOptions options_;
    KafkaReplica& replica_;
    /// Shared with those who are asked for keys: they may answer when the engine is gone.
    const std::shared_ptr<KafkaInbox> inbox_;
    std::unique_ptr<kafka::Topics> topics_;

    mutable std::mutex mutex_;
    // Guarded by mutex_.
    std::shared_ptr<kafka::Producer> producer_;  ///< replaced on thread_ only
    std::unordered_map<TenantId, std::uint64_t> ignored_;
    std::unordered_set<TenantId> were_read_;
    std::function<void(const TenantId&)> listener_;

    std::mutex cluster_mutex_;
    std::string cluster_;  ///< guarded by cluster_mutex_; empty until one has answered

    // Touched only on thread_ once it runs.
    bool cluster_noted_ = false;  ///< in the replica
    std::unique_ptr<kafka::Consumer> consumer_;
    std::vector<RecordIndex> read_;  ///< of what it has handed out, for the burst of this turn
    std::unordered_map<TenantId, std::unique_ptr<KafkaTenant>> tenants_;  ///< none ever goes
    std::vector<KafkaTenant*> touched_;                                   ///< in this turn
    std::set<KafkaTenant*> restless_;
    std::deque<kafka::Producer::Report> reports_;  ///< that have come and are not folded
    std::size_t readers_ = 0;
    std::size_t under_way_ = 0;  ///< records that the producer has
    Result<void> room_;          ///< on the replica's disk
    Instant room_at_{};          ///< when it was looked at
    Instant now_{};
    std::optional<Instant> stop_by_;  ///< set: stopping

    std::unique_ptr<KafkaOpener> opener_;
    std::unique_ptr<KafkaEnds> ends_;
    std::mutex stop_mutex_;  ///< held while joining
    std::thread thread_;
};

}  // namespace bos::eventstore
