#include "eventstore/key_cache.h"

#include <openssl/crypto.h>

namespace bos::eventstore {

KeyCache::Secret::~Secret() { ::OPENSSL_cleanse(bytes.data(), bytes.size()); }

std::optional<SubjectKey> KeyCache::of_subject(const std::string& owner) {
    const std::lock_guard lock(mutex_);
    const SubjectKey* found = of_subject_.find(owner);
    if (found == nullptr) return std::nullopt;
    return *found;
}

std::optional<SubjectKey> KeyCache::find(const TenantId& tenant, const Uuid& id) {
    const std::lock_guard lock(mutex_);
    const OfTenant* found = by_id_.find(id);
    if (found == nullptr || found->tenant != tenant) return std::nullopt;
    return found->key;
}

void KeyCache::put(std::uint64_t read_at, const std::string& owner, const TenantId& tenant,
                   const SubjectKey& key) {
    const std::lock_guard lock(mutex_);
    if (read_at != erasures_) return;
    of_subject_.put(owner, key);
    by_id_.put(key.id, OfTenant{tenant, key});
}

void KeyCache::put(std::uint64_t read_at, const TenantId& tenant, const SubjectKey& key) {
    const std::lock_guard lock(mutex_);
    if (read_at == erasures_) by_id_.put(key.id, OfTenant{tenant, key});
}

std::optional<std::string> KeyCache::secret_of(const TenantId& tenant) {
    const std::lock_guard lock(mutex_);
    const Secret* found = secrets_.find(tenant);
    if (found == nullptr) return std::nullopt;
    return found->bytes;
}

void KeyCache::put_secret(const TenantId& tenant, const std::string& secret) {
    const std::lock_guard lock(mutex_);
    secrets_.put(tenant, Secret(secret));
}

void KeyCache::forget() {
    const std::lock_guard lock(mutex_);
    ++erasures_;
    of_subject_.clear();
    by_id_.clear();
    secrets_.clear();
}

}  // namespace bos::eventstore
