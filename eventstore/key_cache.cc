#include "eventstore/key_cache.h"

#include <openssl/crypto.h>

namespace bos::eventstore {

KeyCache::Secret::~Secret() { ::OPENSSL_cleanse(bytes.data(), bytes.size()); }

std::optional<SubjectKey> KeyCache::of_subject(const std::string& owner) const {
    const std::lock_guard lock(mutex_);
    const auto found = of_subject_.find(owner);
    if (found == of_subject_.end()) return std::nullopt;
    return found->second;
}

std::optional<SubjectKey> KeyCache::find(const TenantId& tenant, const Uuid& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = by_id_.find(id);
    if (found == by_id_.end() || found->second.tenant != tenant) return std::nullopt;
    return found->second.key;
}

std::uint64_t KeyCache::erasures() const {
    const std::lock_guard lock(mutex_);
    return erasures_;
}

void KeyCache::put(std::uint64_t read_at, const std::string& owner, const TenantId& tenant,
                   const SubjectKey& key) {
    const std::lock_guard lock(mutex_);
    if (read_at != erasures_) return;
    if (of_subject_.size() >= keys_max_) of_subject_.clear();
    of_subject_.insert_or_assign(owner, key);
    put_locked(tenant, key);
}

void KeyCache::put(std::uint64_t read_at, const TenantId& tenant, const SubjectKey& key) {
    const std::lock_guard lock(mutex_);
    if (read_at == erasures_) put_locked(tenant, key);
}

void KeyCache::put_locked(const TenantId& tenant, const SubjectKey& key) {
    if (by_id_.size() >= keys_max_) by_id_.clear();
    by_id_.insert_or_assign(key.id, OfTenant{tenant, key});
}

std::optional<std::string> KeyCache::secret_of(const TenantId& tenant) const {
    const std::lock_guard lock(mutex_);
    const auto found = secrets_.find(tenant);
    if (found == secrets_.end()) return std::nullopt;
    return found->second.bytes;
}

void KeyCache::put_secret(const TenantId& tenant, const std::string& secret) {
    const std::lock_guard lock(mutex_);
    if (secrets_.size() >= keys_max_) secrets_.clear();
    secrets_[tenant].bytes = secret;
}

void KeyCache::forget() {
    const std::lock_guard lock(mutex_);
    ++erasures_;
    of_subject_.clear();
    by_id_.clear();
    secrets_.clear();
}

}  // namespace bos::eventstore
