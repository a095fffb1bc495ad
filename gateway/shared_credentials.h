#pragma once

#include "eventstore/kafka_shared_topic.h"
#include "gateway/credential.h"
#include "gateway/rate_limit.h"

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bos::gateway {

struct SharedCredentialsOptions {
    eventstore::kafka::SharedTopic::Options topic;  ///< Keep::all
    /// File of this node's copy, so that it lets clients in while no broker answers; empty = none.
    /// One process at a time.
    std::filesystem::path copy;
};

/// The API keys that several nodes share: the lines of credential.h, one a record of a topic. A key
/// that is made or revoked is so on every node as soon as the record is read: within milliseconds.
/// A key that is not known is looked for in the topic once, a few times a second at most; wrong
/// keys cost no more than that.
///
/// While no broker answers, the keys of the copy are valid and others are not; a revocation is not
/// heard of.
///
/// Thread-safe.
class SharedCredentials final : public CredentialBook, public CredentialSource {
  public:
    /// Errors: as SharedTopic::open; denied = others may read the copy.
    [[nodiscard]] static Result<std::unique_ptr<SharedCredentials>> open(
        SharedCredentialsOptions options);
    ~SharedCredentials() override;

    [[nodiscard]] Result<CredentialMap> read() const override;
    [[nodiscard]] Result<void> append_created(const Credential& credential) override;
    [[nodiscard]] Result<void> append_revoked(std::string_view key_id, Timestamp at) override;
    [[nodiscard]] Result<std::optional<Credential>> find(std::string_view key_id) override;

    /// Every line, in order.
    [[nodiscard]] Result<std::vector<std::string>> lines();
    /// Appends those that are not there yet.
    [[nodiscard]] Result<void> adopt(const std::vector<std::string>& lines);

  private:
    explicit SharedCredentials(SharedCredentialsOptions options) : options_(std::move(options)) {}

    [[nodiscard]] Result<std::optional<eventstore::kafka::SharedTopic::Place>> read_copy();
    [[nodiscard]] Result<void> write_copy(const eventstore::kafka::SharedTopic::Place& place) const;
    [[nodiscard]] Result<void> apply(
        std::span<const eventstore::kafka::SharedTopic::Record> records,
        const eventstore::kafka::SharedTopic::Place& behind);
    [[nodiscard]] bool apply(std::string_view line);
    [[nodiscard]] std::optional<Credential> known(std::string_view key_id) const;
    [[nodiscard]] Result<void> append(std::vector<std::string> lines);

    const SharedCredentialsOptions options_;
    PeerBuckets looks_{{.burst = 10, .refill_per_second = 5, .peers_max = 1}};

    mutable std::mutex mutex_;
    // Guarded by mutex_.
    CredentialMap credentials_;
    std::set<std::string, std::less<>> created_;  ///< ids of all keys that there ever were
    std::vector<std::string> lines_;

    std::unique_ptr<eventstore::kafka::SharedTopic> topic_;  ///< goes first: its thread calls apply
};

}  // namespace bos::gateway
