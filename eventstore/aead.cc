#include "eventstore/aead.h"

#include "schemas/base/assert.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <memory>

namespace bos::eventstore {

namespace {

// EVP counts in int; nothing that comes here is near it.
constexpr std::size_t bytes_max = std::size_t{1} << 30;

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&::EVP_CIPHER_CTX_free)>;

/// Prepared once for each thread: OpenSSL 3 would look the algorithm up for every field. It keeps
/// the schedule of the last key that the thread used, until the next one replaces it.
enum class Mode : int { open = 0, seal = 1 };
Context new_context(Mode mode) {
    Context context(::EVP_CIPHER_CTX_new(), &::EVP_CIPHER_CTX_free);
    BOS_ASSERT(context != nullptr);
    BOS_ASSERT(::EVP_CipherInit_ex(context.get(), ::EVP_aes_256_gcm(), nullptr, nullptr, nullptr,
                                   static_cast<int>(mode)) == 1);
    return context;
}

const unsigned char* data_of(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* data_of(std::string& bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

int size_of(std::string_view bytes) {
    BOS_ASSERT(bytes.size() <= bytes_max);
    return static_cast<int>(bytes.size());
}

}  // namespace

std::string gcm_seal(const Aes256Key& key, const GcmNonce& nonce, std::string_view associated,
                     std::string_view plain) {
    thread_local const Context context = new_context(Mode::seal);
    std::string sealed(plain.size() + gcm_tag_bytes, '\0');
    unsigned char* tag = data_of(sealed) + plain.size();
    int written = 0;
    BOS_ASSERT(::EVP_EncryptInit_ex(context.get(), nullptr, nullptr, key.data(), nonce.data()) ==
               1);
    BOS_ASSERT(::EVP_EncryptUpdate(context.get(), nullptr, &written, data_of(associated),
                                   size_of(associated)) == 1);
    BOS_ASSERT(::EVP_EncryptUpdate(context.get(), data_of(sealed), &written, data_of(plain),
                                   size_of(plain)) == 1);
    BOS_ASSERT(::EVP_EncryptFinal_ex(context.get(), tag, &written) == 1);
    BOS_ASSERT(::EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, gcm_tag_bytes, tag) == 1);
    return sealed;
}

std::optional<std::string> gcm_open(const Aes256Key& key, const GcmNonce& nonce,
                                    std::string_view associated, std::string_view sealed) {
    if (sealed.size() < gcm_tag_bytes || sealed.size() > bytes_max) return std::nullopt;
    thread_local const Context context = new_context(Mode::open);
    const std::string_view cipher = sealed.substr(0, sealed.size() - gcm_tag_bytes);
    std::string tag(sealed.substr(cipher.size()));
    std::string plain(cipher.size(), '\0');
    int written = 0;
    BOS_ASSERT(::EVP_DecryptInit_ex(context.get(), nullptr, nullptr, key.data(), nonce.data()) ==
               1);
    BOS_ASSERT(::EVP_DecryptUpdate(context.get(), nullptr, &written, data_of(associated),
                                   size_of(associated)) == 1);
    BOS_ASSERT(::EVP_DecryptUpdate(context.get(), data_of(plain), &written, data_of(cipher),
                                   size_of(cipher)) == 1);
    BOS_ASSERT(
        ::EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, gcm_tag_bytes, tag.data()) == 1);
    if (::EVP_DecryptFinal_ex(context.get(), nullptr, &written) != 1) {
        ::OPENSSL_cleanse(plain.data(), plain.size());
        return std::nullopt;
    }
    return plain;
}

}  // namespace bos::eventstore
