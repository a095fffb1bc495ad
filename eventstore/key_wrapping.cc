#include "eventstore/key_wrapping.h"

#include "schemas/base/keys.h"

#include <openssl/crypto.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace bos::eventstore {

namespace {

constexpr std::size_t secret_bytes = 32;
constexpr std::string_view store_mark = "bos key store 1";

std::string place_of_key(const Uuid& id, std::string_view owner) {
    return KeyWriter().u8('k').uuid(id).raw(owner).take();
}
std::string place_of_mark() { return KeyWriter().u8('m').take(); }
std::string place_of_secret(const TenantId& tenant) {
    return KeyWriter().u8('s').text(tenant.value()).take();
}

void wipe(std::string& secret) { ::OPENSSL_cleanse(secret.data(), secret.size()); }

std::string new_secret(Random& random) {
    std::array<std::uint8_t, secret_bytes> bytes;
    random.fill(bytes);
    std::string secret(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    ::OPENSSL_cleanse(bytes.data(), bytes.size());
    return secret;
}

}  // namespace

bool is_of(const TenantId& tenant, std::string_view owner) {
    return owner.starts_with(KeyWriter().text(tenant.value()).bytes());
}

Uuid KeyWrapping::new_id() {
    Uuid id;
    random_.fill(id.bytes);
    return id;
}

SubjectKey KeyWrapping::new_key() {
    SubjectKey key;
    key.id = new_id();
    random_.fill(key.secret);
    return key;
}

KeyRow KeyWrapping::row_of(const SubjectKey& key, std::string_view owner) {
    const std::string_view secret(reinterpret_cast<const char*>(key.secret.data()),
                                  key.secret.size());
    return {.wrapped = master_.wrap(place_of_key(key.id, owner), secret, random_),
            .owner = std::string(owner)};
}

Result<SubjectKey> KeyWrapping::open(const TenantId& tenant, const Uuid& id,
                                     const KeyRow& row) const {
    const bool of_tenant = row.owner.empty() || is_of(tenant, row.owner);
    if (row.destroyed() || !of_tenant) return fail(Code::not_found, "no key " + to_string(id));
    BOS_TRY(std::string secret, master_.unwrap(place_of_key(id, row.owner), row.wrapped));
    SubjectKey key;
    key.id = id;
    if (secret.size() != key.secret.size()) return fail(Code::corrupt, "a key has a wrong length");
    std::memcpy(key.secret.data(), secret.data(), key.secret.size());
    wipe(secret);
    return key;
}

std::string KeyWrapping::new_tenant_secret(const TenantId& tenant) {
    std::string secret = new_secret(random_);
    std::string wrapped = master_.wrap(place_of_secret(tenant), secret, random_);
    wipe(secret);
    return wrapped;
}

Result<std::string> KeyWrapping::open_tenant_secret(const TenantId& tenant,
                                                    std::string_view wrapped) const {
    return master_.unwrap(place_of_secret(tenant), wrapped);
}

std::string KeyWrapping::new_master_mark() {
    return master_.wrap(place_of_mark(), store_mark, random_);
}

bool KeyWrapping::is_master_of(std::string_view mark) const {
    return master_.unwrap(place_of_mark(), mark) == Result<std::string>(std::string(store_mark));
}

}  // namespace bos::eventstore
