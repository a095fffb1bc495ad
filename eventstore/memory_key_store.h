#pragma once

#include "eventstore/key_store.h"

#include <map>
#include <mutex>
#include <set>
#include <utility>

namespace bos::eventstore {

/// The key store in memory, for tests and simulations: with a seeded `random` the same keys in each
/// run.
///
/// Thread-safe.
class MemoryKeyStore final : public KeyStore {
  public:
    explicit MemoryKeyStore(Random& random) : random_(random) {}

    [[nodiscard]] Result<SubjectKey> key_for(const TenantId& tenant,
                                             const StreamId& subject) override;
    [[nodiscard]] Result<void> sync() override { return {}; }
    [[nodiscard]] Result<SubjectKey> find(const TenantId& tenant,
                                          const Uuid& key_id) const override;
    [[nodiscard]] Result<void> destroy(const TenantId& tenant, const StreamId& subject) override;
    [[nodiscard]] std::uint64_t erasures() const override;
    [[nodiscard]] Result<std::string> tenant_secret(const TenantId& tenant) override;

  private:
    using Subject = std::pair<TenantId, StreamId>;

    Random& random_;

    mutable std::mutex mutex_;
    // Guarded by mutex_.
    std::map<Subject, SubjectKey> keys_;
    std::map<std::pair<TenantId, Uuid>, Subject> subjects_;  ///< by key id
    std::set<Subject> erased_;
    std::set<Uuid> destroyed_;
    std::map<TenantId, std::string> tenant_secrets_;
};

}  // namespace bos::eventstore
