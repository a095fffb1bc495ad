#pragma once

#include "eventstore/kafka_handle.h"
#include "gateway/shard_table.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace bos::gateway {

/// Shards of a cluster: partitions of its topic <prefix>.shards. More than there will be nodes; a
/// node that joins takes whole shards from others.
inline constexpr int cluster_shards = 48;

struct ShardGroupOptions {
    eventstore::kafka::Properties properties;  ///< bootstrap.servers and security
    std::string topic;                         ///< also the group's name
    int replication_factor = 3;
    int min_insync_replicas = 2;
    Peer self;
    /// A node that is not heard of for so long loses its shards. Kafka's brokers take 6 s and more.
    std::chrono::milliseconds session_timeout{6'000};
    /// How often the node tells the group that it lives: a rebalance is noticed that late.
    std::chrono::milliseconds heartbeat_interval{300};
};

/// This node's seat in the cluster. Kafka's consumer-group protocol assigns the partitions of a
/// compacted topic to the nodes that decide commands; a node writes its address into the partitions
/// that it was assigned, and every node reads all of them. A node also writes that it lives, every
/// two seconds. Members are dynamic, not static (KIP-345): a static member that leaves politely
/// keeps its partitions until its session ends, and a hand-over is to take less.
///
///     partition p, key "owner"             {"address":"10.0.0.1:8080"}
///     partition 0, key "node 10.0.0.1:80"  {"gateway":true,"commands":true,"views":true}, or
///                                          nothing: it left
///
/// Goes on for ever when no broker answers: nothing is this node's then.
///
/// Thread-safe.
class ShardGroup {
  public:
    /// `table` outlives the group. Begins at once, on a thread of its own.
    ShardGroup(ShardGroupOptions options, ShardTable& table);
    ~ShardGroup();
    ShardGroup(const ShardGroup&) = delete;
    ShardGroup& operator=(const ShardGroup&) = delete;

    /// Gives the shards to the others, now, and goes on reading who has them. Returns when the
    /// group knows, or after two seconds. Idempotent.
    void leave();

  private:
    using Clock = std::chrono::steady_clock;
    using Handle = eventstore::kafka::Owned<rd_kafka_t>;

    void run();
    [[nodiscard]] Result<void> open();
    [[nodiscard]] Result<void> open_reader();
    void turn();
    void read_topic();
    void take(const rd_kafka_message_t& message);
    void claim_what_is_not();
    void announce();
    void publish(int partition, const std::string& key, const std::string* value);
    void leave_group();
    void close();
    [[nodiscard]] bool is_leaving();
    bool pause(std::chrono::milliseconds most);
    void wake();

    static void on_rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t error,
                             rd_kafka_topic_partition_list_t* partitions, void* self);

    const ShardGroupOptions options_;
    ShardTable& table_;

    std::mutex mutex_;
    std::condition_variable changed_;
    bool woken_ = false;     ///< guarded by mutex_
    bool leaving_ = false;   ///< guarded by mutex_
    bool left_ = false;      ///< guarded by mutex_
    bool stopping_ = false;  ///< guarded by mutex_

    // Touched only on thread_.
    std::function<void()> wake_ = [this] { wake(); };
    Handle producer_;
    Handle reader_;  ///< of all partitions, outside the group
    Handle member_;  ///< none: this node decides no commands
    eventstore::kafka::Owned<rd_kafka_queue_t> reader_queue_;
    eventstore::kafka::Owned<rd_kafka_queue_t> member_queue_;
    bool gone_ = false;  ///< out of the group
    Clock::time_point announce_at_{};
    std::thread thread_;
};

}  // namespace bos::gateway
