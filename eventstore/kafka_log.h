#pragma once

#include "eventstore/end_process.h"
#include "eventstore/event_log.h"
#include "schemas/base/random.h"

#include <rocksdb/env.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace bos::eventstore {

struct KafkaLogOptions {
    std::string brokers;  ///< host:port, several with commas between
    /// Further settings of librdkafka, by its names: security.protocol, sasl.*, ssl.*. Those that
    /// the engine's promises rest on are set after them.
    std::vector<std::pair<std::string, std::string>> properties = {};
    /// The folder of the local replica. Its parent exists; <path>.lock stands beside it.
    std::string replica_path;
    std::string topic_prefix = "bos.log.";
    int replication_factor = 3;
    int min_insync_replicas = 2;
    /// From handing a record to the producer until its outcome counts as unknown.
    std::chrono::milliseconds produce_timeout{10'000};
    /// After it, to find out what became of it; then `unknown` is the answer.
    std::chrono::milliseconds settle_timeout{30'000};
    /// Of one question to the cluster, and of silence while a topic is read to its end.
    std::chrono::milliseconds request_timeout{10'000};
    std::size_t queue_records_max = 16'384;  ///< appends without answer, of all tenants
    std::size_t queue_bytes_max = 64 * 1024 * 1024;
    std::size_t cache_bytes = 64 * 1024 * 1024;
    /// Small, so that looking for a row's place stays in the processor's caches: a fifth faster
    /// than with 64 MiB.
    std::size_t memtable_bytes = 16 * 1024 * 1024;
    /// Appends get `full` when less than this is free beside the replica.
    std::uint64_t free_bytes_min = 128 * 1024 * 1024;
    /// See KafkaEngineOptions::before_send: KeyStore::when_synced.
    std::function<void(const TenantId&, std::move_only_function<void(Result<void>)> done)>
        before_send = [](const TenantId&, auto done) { done({}); };
    rocksdb::Env* env = nullptr;  ///< of the replica; null = the machine's
    Clock* clock = nullptr;       ///< null = the machine's
    Random* random = nullptr;     ///< null = the operating system's
    Fatal fatal = end_process;    ///< when the replica fails
};

/// The log on Kafka: one topic for each tenant, and a replica of them on this node, from which
/// every read is answered. Several nodes may have it open and append to the same tenant; the chain
/// decides whose record is valid (docs/kafka.md). An acknowledged record is in the logs of the
/// topic's replicas that are in sync; whether it is on their disks is the brokers' affair.
///
/// Appends of a tenant begin when its topic is there with the right settings and was read to its
/// end; those that come earlier wait for it, within the queue's bounds. A topic that is not what it
/// was (shorter, made anew, of another cluster) refuses appends with `corrupt` and what to do, one
/// with settings that lose records with `invalid`; reads go on.
///
/// head(), read() and the others see what this node has read: own appends at once, those of others
/// when the tenant is followed, or after an append here met them.
///
/// Thread-safe.
class KafkaLog final : public EventLog {
  public:
    /// Reads what the cluster has of every tenant, to its end. When no broker answers, a node that
    /// has a replica opens all the same and reads from it. Errors: unavailable = no broker has
    /// answered and there is no replica, or another process has it; corrupt = it is damaged;
    /// invalid = a property that librdkafka does not take.
    [[nodiscard]] static Result<std::unique_ptr<KafkaLog>> open(KafkaLogOptions options);
    ~KafkaLog() override;

    void append(std::string record, AppendDone done) override;
    [[nodiscard]] bool is_shared() const override { return true; }
    /// One question to the topic's leader for all that ask meanwhile.
    void confirm(const TenantId& tenant, const Head& end, AppendDone done) override;
    [[nodiscard]] Result<Head> head(const TenantId& tenant) const override;
    [[nodiscard]] Result<std::string> read(const TenantId& tenant,
                                           Position position) const override;
    [[nodiscard]] Result<void> scan(const TenantId& tenant, Position from, Position to,
                                    const Visit& visit) const override;
    [[nodiscard]] Result<void> scan_links(const TenantId& tenant, Position from, Position to,
                                          const VisitLink& visit) const override;
    [[nodiscard]] Result<std::vector<EventAddress>> stream(const TenantId& tenant,
                                                           const StreamId& stream, Version from,
                                                           std::size_t limit) const override;
    [[nodiscard]] Result<std::optional<Position>> find_key(const TenantId& tenant,
                                                           std::string_view key) const override;
    [[nodiscard]] Result<std::vector<TenantId>> tenants() const override;
    /// Waits for the outcome of what was sent, for settle_timeout at most. Not from a done.
    void stop() override;

    /// Keeps up with what others append, until the first append here. `done` is called on the
    /// engine's thread when the tenant was read to the end that it had.
    using FollowDone = std::move_only_function<void(Result<void>)>;
    void follow(const TenantId& tenant, FollowDone done);
    /// Reads to the end that the topic has now, once.
    void catch_up(const TenantId& tenant, FollowDone done);

    /// `listener` is told of a tenant when records that others appended have become readable here.
    /// On the engine's thread; it must not block. The last one given counts; none at first.
    using Listener = std::function<void(const TenantId&)>;
    void listen(Listener listener);

    /// Tenants that have a topic in the cluster, read here or not. Blocks. Errors: unavailable.
    [[nodiscard]] Result<std::vector<TenantId>> tenants_in_cluster() const;

    /// Records of the tenant's topic that this node read since it opened and that no reader takes.
    [[nodiscard]] std::uint64_t ignored(const TenantId& tenant) const;
    /// What this node knows now is in the replica's files: for who reads them beside it. Blocks.
    /// Errors: full.
    [[nodiscard]] Result<void> settle();
    /// The tenant's topic was read to its end since the log was opened. Until then the replica may
    /// lack what this node knew before: its newest records were in memory alone when the process
    /// was killed, or not yet on the disk when the power went.
    [[nodiscard]] bool was_read(const TenantId& tenant) const;

  private:
    struct Parts;
    explicit KafkaLog(std::unique_ptr<Parts> parts);

    const std::unique_ptr<Parts> parts_;
};

}  // namespace bos::eventstore
