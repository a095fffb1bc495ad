#pragma once

#include "schemas/base/tenant.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace bos::gateway {

/// What a node does for the others.
struct PeerRoles {
    bool gateway = true;   ///< takes requests of clients
    bool commands = true;  ///< owns shards: decides the commands of their tenants
    bool views = true;     ///< keeps views: answers queries
};

/// A node of the cluster, as it tells of itself. Its address is its name.
struct Peer {
    std::string address;  ///< host:port where other nodes reach it
    PeerRoles roles;
};

/// Who decides the commands of which tenant, as this node knows it. The cluster's tenants are
/// spread over a fixed number of shards; Kafka's group protocol assigns shards to nodes, and a node
/// claims what it was assigned. All of this is a hint about who should write: what is valid is
/// decided by the log's chain, whoever writes.
///
/// Thread-safe.
class ShardTable {
  public:
    using Instant = std::chrono::steady_clock::time_point;

    /// `patience`: for how long this node believes in its shards without word from the group.
    ShardTable(std::size_t shards, std::string self, std::chrono::milliseconds patience);

    [[nodiscard]] std::size_t shards() const { return claims_.size(); }
    [[nodiscard]] std::size_t shard_of(const TenantId& tenant) const;

    // What the group says.

    /// These are this node's shards, and no others. While the group is being spread anew, what a
    /// node has stays its own until the next assignment, so that writing goes on meanwhile.
    void assigned(const std::set<std::size_t>& shards, Instant now);
    /// This node is out of the group: others may have its shards already.
    void lost();
    /// The group's thread is alive. A node that stood still for longer than its patience has lost
    /// its shards.
    void alive(Instant now);

    // What other nodes say.

    void claimed(std::size_t shard, std::string address);
    void heard(Peer peer, Instant now);
    void left(const std::string& address);

    // What follows from it.

    struct Owner {
        enum class Kind { self, other, nobody };
        Kind kind = Kind::nobody;
        std::string address = {};  ///< of another
        /// Of this node: grows whenever it gets a shard, so that what it knew before is read anew.
        std::uint64_t term = 0;
    };
    [[nodiscard]] Owner owner_of(const TenantId& tenant, Instant now) const;
    [[nodiscard]] bool is_own(const TenantId& tenant, Instant now) const;
    /// Shards of this node that nobody, or another, is known to have claimed.
    [[nodiscard]] std::vector<std::size_t> unclaimed() const;
    /// How many shards are this node's.
    [[nodiscard]] std::size_t own() const;
    /// Other nodes that were heard of in the last `within`.
    [[nodiscard]] std::vector<Peer> peers(Instant now, std::chrono::milliseconds within) const;

  private:
    [[nodiscard]] bool believes(Instant now) const;

    // Constant after construction.
    const std::string self_;
    const std::chrono::milliseconds patience_;

    mutable std::mutex mutex_;
    // Guarded by mutex_.
    std::vector<std::string> claims_;                  ///< by shard; empty = nobody's
    std::vector<std::optional<std::uint64_t>> terms_;  ///< by shard: since when it is this node's
    std::uint64_t term_ = 0;
    Instant alive_at_{};
    struct Heard {
        Peer peer;
        Instant at;
    };
    std::map<std::string, Heard> peers_;
};

}  // namespace bos::gateway
