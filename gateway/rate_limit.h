#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace bos::gateway {

struct RateLimit {
    double burst = 20;                   ///< at once: a client with a wrong key and a retry loop
    double refill_per_second = 1.0 / 3;  ///< 20 a minute for ever after
    std::size_t peers_max = 10'000;      ///< about 2 MiB; the least recently seen is forgotten
};

/// A token bucket per peer (see peer_network), for what a peer may do before it is known who it is.
/// Memory is bounded whatever addresses an attacker uses. Thread-safe.
class PeerBuckets {
  public:
    using Time = std::chrono::steady_clock::time_point;

    explicit PeerBuckets(RateLimit limit = {}) : limit_(limit) {}

    /// Time until the peer has a token again; zero = it has one.
    [[nodiscard]] std::chrono::seconds wait_of(std::string_view peer, Time now);
    /// Takes one token; a bucket does not go below empty.
    void take(std::string_view peer, Time now);
    [[nodiscard]] std::size_t size() const;

  private:
    struct Bucket {
        double tokens = 0;
        Time filled_at;
        std::list<std::string>::iterator recent;
    };

    void refill(Bucket& bucket, Time now) const;
    Bucket& bucket_of(std::string_view peer, Time now);

    const RateLimit limit_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Bucket> buckets_;
    std::list<std::string> recently_seen_;  // newest first
};

}  // namespace bos::gateway
