#include "gateway/shard_table.h"

#include "schemas/base/assert.h"
#include "schemas/base/digest.h"

#include <algorithm>
#include <utility>

namespace bos::gateway {

ShardTable::ShardTable(std::size_t shards, std::string self, std::chrono::milliseconds patience)
    : self_(std::move(self)), patience_(patience), claims_(shards), terms_(shards) {
    BOS_ASSERT(shards > 0);
}

/// The same on every node, whatever it was built with: the first eight bytes of SHA-256.
std::size_t ShardTable::shard_of(const TenantId& tenant) const {
    const Hash digest = sha256(tenant.value());
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < sizeof number; ++i) number = number << 8 | digest.bytes[i];
    return static_cast<std::size_t>(number % claims_.size());
}

void ShardTable::assigned(const std::set<std::size_t>& shards, Instant now) {
    const std::lock_guard lock(mutex_);
    ++term_;
    for (std::size_t shard = 0; shard < terms_.size(); ++shard) {
        if (!shards.contains(shard)) {
            terms_[shard].reset();
        } else if (!terms_[shard]) {
            terms_[shard] = term_;
        }
    }
    alive_at_ = now;
}

void ShardTable::lost() {
    const std::lock_guard lock(mutex_);
    std::ranges::fill(terms_, std::nullopt);
}

void ShardTable::alive(Instant now) {
    const std::lock_guard lock(mutex_);
    if (!believes(now)) std::ranges::fill(terms_, std::nullopt);
    alive_at_ = now;
}

bool ShardTable::believes(Instant now) const { return now - alive_at_ <= patience_; }

void ShardTable::claimed(std::size_t shard, std::string address) {
    const std::lock_guard lock(mutex_);
    if (shard < claims_.size()) claims_[shard] = std::move(address);
}

void ShardTable::heard(Peer peer, Instant now) {
    const std::lock_guard lock(mutex_);
    if (peer.address == self_) return;
    std::string address = peer.address;
    peers_.insert_or_assign(std::move(address), Heard{.peer = std::move(peer), .at = now});
}

void ShardTable::left(const std::string& address) {
    const std::lock_guard lock(mutex_);
    peers_.erase(address);
    for (std::string& claim : claims_) {
        if (claim == address) claim.clear();
    }
}

ShardTable::Owner ShardTable::owner_of(const TenantId& tenant, Instant now) const {
    const std::size_t shard = shard_of(tenant);
    const std::lock_guard lock(mutex_);
    if (terms_[shard] && believes(now)) return {.kind = Owner::Kind::self, .term = *terms_[shard]};
    const std::string& claim = claims_[shard];
    // A claim of this node that the group took back is waiting for its successor's.
    if (claim.empty() || claim == self_) return {};
    return {.kind = Owner::Kind::other, .address = claim};
}

bool ShardTable::is_own(const TenantId& tenant, Instant now) const {
    return owner_of(tenant, now).kind == Owner::Kind::self;
}

std::vector<std::size_t> ShardTable::unclaimed() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::size_t> shards;
    for (std::size_t shard = 0; shard < terms_.size(); ++shard) {
        if (terms_[shard] && claims_[shard] != self_) shards.push_back(shard);
    }
    return shards;
}

std::size_t ShardTable::own() const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::ranges::count_if(terms_, [](const auto& term) { return term.has_value(); }));
}

std::vector<Peer> ShardTable::peers(Instant now, std::chrono::milliseconds within) const {
    const std::lock_guard lock(mutex_);
    std::vector<Peer> peers;
    for (const auto& [address, heard] : peers_) {
        if (now - heard.at <= within) peers.push_back(heard.peer);
    }
    return peers;
}

}  // namespace bos::gateway
