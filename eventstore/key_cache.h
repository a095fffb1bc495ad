#pragma once

#include "eventstore/key_store.h"
#include "schemas/base/tenant.h"
#include "schemas/base/uuid.h"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace bos::eventstore {

/// Keys that were used lately, unwrapped, beside the rows of a key store. An erasure forgets all of
/// them, and a key that was read from the rows before it is not taken in after it:
///
///     const auto read_at = cache.erasures();
///     key = …                                  // from the rows
///     cache.put(read_at, owner, tenant, key);
///
/// Thread-safe.
class KeyCache {
  public:
    explicit KeyCache(std::size_t keys_max = 4096) : keys_max_(keys_max) {}

    /// `owner` is subject_bytes().
    [[nodiscard]] std::optional<SubjectKey> of_subject(const std::string& owner) const;
    [[nodiscard]] std::optional<SubjectKey> find(const TenantId& tenant, const Uuid& id) const;

    /// How often forget() was called.
    [[nodiscard]] std::uint64_t erasures() const;
    /// The key that new fields of its subject get.
    void put(std::uint64_t read_at, const std::string& owner, const TenantId& tenant,
             const SubjectKey& key);
    /// A key that is in use; maybe not the one for new fields.
    void put(std::uint64_t read_at, const TenantId& tenant, const SubjectKey& key);

    /// Of a tenant; stable for ever.
    [[nodiscard]] std::optional<std::string> secret_of(const TenantId& tenant) const;
    void put_secret(const TenantId& tenant, const std::string& secret);

    /// To be called when the rows no longer have the keys, and before anybody is told so.
    void forget();

  private:
    struct OfTenant {
        TenantId tenant;
        SubjectKey key;
    };

    struct Secret {
        std::string bytes;
        ~Secret();  // wipes them
    };

    void put_locked(const TenantId& tenant, const SubjectKey& key);

    const std::size_t keys_max_;

    mutable std::mutex mutex_;
    std::unordered_map<std::string, SubjectKey> of_subject_;
    std::unordered_map<Uuid, OfTenant> by_id_;
    std::unordered_map<TenantId, Secret> secrets_;
    std::uint64_t erasures_ = 0;
};

}  // namespace bos::eventstore
