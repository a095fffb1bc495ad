#include "gateway/rate_limit.h"

#include <algorithm>
#include <cmath>

namespace bos::gateway {

std::chrono::seconds PeerBuckets::wait_of(std::string_view peer, Time now) {
    const std::scoped_lock lock(mutex_);
    const auto found = buckets_.find(std::string(peer));
    if (found == buckets_.end()) return std::chrono::seconds(0);
    refill(found->second, now);
    const double missing = 1 - found->second.tokens;
    if (missing <= 0) return std::chrono::seconds(0);
    return std::chrono::seconds(static_cast<long>(std::ceil(missing / limit_.refill_per_second)));
}

void PeerBuckets::take(std::string_view peer, Time now) {
    const std::scoped_lock lock(mutex_);
    Bucket& bucket = bucket_of(peer, now);
    bucket.tokens = std::max(0.0, bucket.tokens - 1);
}

std::size_t PeerBuckets::size() const {
    const std::scoped_lock lock(mutex_);
    return buckets_.size();
}

void PeerBuckets::refill(Bucket& bucket, Time now) const {
    const double seconds = std::chrono::duration<double>(now - bucket.filled_at).count();
    bucket.tokens =
        std::min(limit_.burst, bucket.tokens + std::max(0.0, seconds) * limit_.refill_per_second);
    bucket.filled_at = now;
}

PeerBuckets::Bucket& PeerBuckets::bucket_of(std::string_view peer, Time now) {
    const auto found = buckets_.find(std::string(peer));
    if (found != buckets_.end()) {
        refill(found->second, now);
        recently_seen_.splice(recently_seen_.begin(), recently_seen_, found->second.recent);
        return found->second;
    }
    if (buckets_.size() >= limit_.peers_max) {
        buckets_.erase(recently_seen_.back());
        recently_seen_.pop_back();
    }
    recently_seen_.emplace_front(peer);
    return buckets_.emplace(peer, Bucket{limit_.burst, now, recently_seen_.begin()}).first->second;
}

}  // namespace bos::gateway
