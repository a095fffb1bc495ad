#pragma once

#include "eventstore/key_store.h"
#include "schemas/base/recent_map.h"
#include "schemas/base/tenant.h"
#include "schemas/base/uuid.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace bos::eventstore {

/// Keys that were used lately, unwrapped, beside the rows of a key store: at most `keys_max`, of
/// which those not used for longest go first, half of them at a time. An erasure forgets all, and a
/// key that was read from the rows before it is not taken in after it:
///
///     const auto read_at = cache.erasures();
///     key = …                                  // from the rows
///     cache.put(read_at, owner, tenant, key);
///
/// Thread-safe.
class KeyCache {
  public:
    /// A key takes some 250 bytes: the default is at most 16 MB.
    explicit KeyCache(std::size_t keys_max = 65'536)
        : of_subject_(keys_max), by_id_(keys_max), secrets_(keys_max) {}

    /// `owner` is subject_bytes().
    [[nodiscard]] std::optional<SubjectKey> of_subject(const std::string& owner);
    [[nodiscard]] std::optional<SubjectKey> find(const TenantId& tenant, const Uuid& id);

    /// How often forget() was called.
    [[nodiscard]] std::uint64_t erasures() const { return erasures_; }
    /// The key that new fields of its subject get.
    void put(std::uint64_t read_at, const std::string& owner, const TenantId& tenant,
             const SubjectKey& key);
    /// A key that is in use; maybe not the one for new fields.
    void put(std::uint64_t read_at, const TenantId& tenant, const SubjectKey& key);

    /// Of a tenant; stable for ever.
    [[nodiscard]] std::optional<std::string> secret_of(const TenantId& tenant);
    void put_secret(const TenantId& tenant, const std::string& secret);

    /// To be called when the rows no longer have the keys, and before anybody is told so.
    void forget();

  private:
    struct OfTenant {
        TenantId tenant;
        SubjectKey key;
    };

    struct Secret {
        explicit Secret(std::string text) : bytes(std::move(text)) {}
        Secret(Secret&&) = default;
        Secret& operator=(Secret&&) = default;
        ~Secret();  // wipes them
        std::string bytes;
    };

    mutable std::mutex mutex_;
    RecentMap<std::string, SubjectKey> of_subject_;
    RecentMap<Uuid, OfTenant> by_id_;
    RecentMap<TenantId, Secret> secrets_;
    std::atomic<std::uint64_t> erasures_ = 0;  ///< changed with mutex_ held
};

}  // namespace bos::eventstore
