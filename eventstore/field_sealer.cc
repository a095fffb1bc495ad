#include "eventstore/aead.h"
#include "eventstore/key_store.h"
#include "schemas/base/digest.h"
#include "schemas/base/keys.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>

namespace bos::eventstore {

namespace {

// Sealed field: version u8, key id 16, nonce 12, ciphertext, tag 16.
constexpr std::uint8_t format_version = 1;
constexpr std::size_t header_bytes = 1 + 16 + 12;

void put_part(KeyWriter& to, std::string_view part) {
    to.u32(static_cast<std::uint32_t>(part.size())).raw(part);
}

/// All that a sealed field must not be moved away from. Each part has its length before it, so that
/// no two lists of parts have the same bytes.
std::string associated_data(const TenantId& tenant, const StreamId& subject, std::string_view field,
                            const Uuid& key_id) {
    KeyWriter data;
    data.u8(format_version);
    put_part(data, tenant.value());
    data.u16(subject.type).uuid(subject.id);
    put_part(data, field);
    data.uuid(key_id);
    return data.take();
}

std::string digest_input(std::string_view field, std::string_view plain) {
    KeyWriter data;
    put_part(data, "bos.field-digest.1");
    put_part(data, field);
    put_part(data, plain);
    return data.take();
}

}  // namespace

Result<std::string> FieldSealer::seal(const TenantId& tenant, const StreamId& subject,
                                      std::string_view field, std::string_view plain) const {
    BOS_TRY(const SubjectKey key, keys_.key_for(tenant, subject));
    GcmNonce nonce;
    random_.fill(nonce);
    KeyWriter sealed;
    sealed.u8(format_version).uuid(key.id);
    sealed.raw({reinterpret_cast<const char*>(nonce.data()), nonce.size()});
    sealed.raw(gcm_seal(key.secret, nonce, associated_data(tenant, subject, field, key.id), plain));
    return sealed.take();
}

Result<std::string> FieldSealer::open(const TenantId& tenant, const StreamId& subject,
                                      std::string_view field, std::string_view sealed) const {
    KeyReader reader(sealed);
    std::uint8_t version = 0;
    Uuid key_id;
    if (sealed.size() < header_bytes + gcm_tag_bytes || !reader.u8(version) ||
        version != format_version || !reader.uuid(key_id)) {
        return fail(Code::corrupt, "not a sealed field");
    }
    GcmNonce nonce;
    std::memcpy(nonce.data(), reader.rest().data(), nonce.size());
    BOS_TRY(const SubjectKey key, keys_.find(tenant, key_id));
    std::optional<std::string> plain =
        gcm_open(key.secret, nonce, associated_data(tenant, subject, field, key_id),
                 reader.rest().substr(nonce.size()));
    if (!plain) return fail(Code::corrupt, "sealed field was altered or moved");
    return *std::move(plain);
}

Result<Hash> FieldSealer::digest(const TenantId& tenant, std::string_view field,
                                 std::string_view plain) const {
    BOS_TRY(std::string secret, keys_.tenant_secret(tenant));
    std::string input = digest_input(field, plain);
    const Hash digest = hmac_sha256(secret, input);
    ::OPENSSL_cleanse(input.data(), input.size());
    ::OPENSSL_cleanse(secret.data(), secret.size());
    return digest;
}

}  // namespace bos::eventstore
