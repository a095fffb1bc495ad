#include "eventstore/memory_key_store.h"

#include "schemas/base/digest.h"

#include <algorithm>

namespace bos::eventstore {

Result<SubjectKey> MemoryKeyStore::key_for(const TenantId& tenant, const StreamId& subject) {
    const std::lock_guard lock(mutex_);
    const Subject owner{tenant, subject};
    if (erased_.contains(owner)) return fail(Code::not_found, "the subject was erased");
    if (const auto known = keys_.find(owner); known != keys_.end()) return known->second;
    SubjectKey key;
    random_.fill(key.id.bytes);
    random_.fill(key.secret);
    keys_.emplace(owner, key);
    subjects_.emplace(std::pair(tenant, key.id), owner);
    return key;
}

Result<SubjectKey> MemoryKeyStore::find(const TenantId& tenant, const Uuid& key_id) const {
    const std::lock_guard lock(mutex_);
    const auto owner = subjects_.find({tenant, key_id});
    if (owner != subjects_.end()) return keys_.at(owner->second);
    const bool known =
        destroyed_.contains(key_id) || std::ranges::any_of(subjects_, [&](const auto& subject) {
            return subject.first.second == key_id;
        });
    return fail(known ? Code::not_found : Code::corrupt, "no key " + to_string(key_id));
}

Result<void> MemoryKeyStore::destroy(const TenantId& tenant, const StreamId& subject) {
    const std::lock_guard lock(mutex_);
    const Subject owner{tenant, subject};
    erased_.insert(owner);
    if (const auto known = keys_.find(owner); known != keys_.end()) {
        subjects_.erase({tenant, known->second.id});
        destroyed_.insert(known->second.id);
        keys_.erase(known);
    }
    return {};
}

std::uint64_t MemoryKeyStore::erasures() const {
    const std::lock_guard lock(mutex_);
    return erased_.size();
}

Result<std::string> MemoryKeyStore::tenant_secret(const TenantId& tenant) {
    const std::lock_guard lock(mutex_);
    std::string& secret = tenant_secrets_[tenant];
    if (secret.empty()) {
        std::array<std::uint8_t, 32> bytes;
        random_.fill(bytes);
        secret.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    return secret;
}

}  // namespace bos::eventstore
