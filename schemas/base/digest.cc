// For SHA256_Init and its like, see sha256().
#define OPENSSL_SUPPRESS_DEPRECATED

#include "schemas/base/digest.h"

#include "schemas/base/assert.h"
#include "schemas/base/random.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace bos {

namespace {

const unsigned char* data_of(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

Hash sha256(std::string_view bytes) {
    Hash hash;
    // The functions that take a context of their own: EVP_Digest and, in OpenSSL 3, SHA256() look
    // their algorithm up on each call, which costs more than to hash a record of 300 bytes.
    SHA256_CTX context;
    BOS_ASSERT(::SHA256_Init(&context) == 1);
    BOS_ASSERT(::SHA256_Update(&context, bytes.data(), bytes.size()) == 1);
    BOS_ASSERT(::SHA256_Final(hash.bytes.data(), &context) == 1);
    return hash;
}

namespace {

using MacContext = std::unique_ptr<EVP_MAC_CTX, decltype(&::EVP_MAC_CTX_free)>;

/// HMAC with SHA-256, looked up once: HMAC() of OpenSSL 3 does it on each call.
MacContext hmac_sha256_context() {
    const std::unique_ptr<EVP_MAC, decltype(&::EVP_MAC_free)> hmac(
        ::EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr), &::EVP_MAC_free);
    MacContext context(::EVP_MAC_CTX_new(hmac.get()), &::EVP_MAC_CTX_free);
    BOS_ASSERT(context != nullptr);
    std::string digest = OSSL_DIGEST_NAME_SHA2_256;
    const std::array<OSSL_PARAM, 2> parameters{
        ::OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
        ::OSSL_PARAM_construct_end()};
    BOS_ASSERT(::EVP_MAC_CTX_set_params(context.get(), parameters.data()) == 1);
    return context;
}

}  // namespace

Hash hmac_sha256(std::string_view key, std::string_view bytes) {
    thread_local const MacContext context = hmac_sha256_context();
    Hash hash;
    std::size_t size = 0;
    // Without a key it would go on with the one before.
    BOS_ASSERT(!key.empty());
    BOS_ASSERT(::EVP_MAC_init(context.get(), data_of(key), key.size(), nullptr) == 1);
    BOS_ASSERT(::EVP_MAC_update(context.get(), data_of(bytes), bytes.size()) == 1);
    BOS_ASSERT(::EVP_MAC_final(context.get(), hash.bytes.data(), &size, hash.bytes.size()) == 1);
    return hash;
}

Sha256::Sha256() : context_(::EVP_MD_CTX_new()) {
    BOS_ASSERT(context_ != nullptr);
    BOS_ASSERT(::EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), ::EVP_sha256(), nullptr) ==
               1);
}

Sha256::~Sha256() { ::EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }

void Sha256::update(std::string_view bytes) {
    BOS_ASSERT(::EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size()) ==
               1);
}

Hash Sha256::finish() {
    Hash hash;
    BOS_ASSERT(
        ::EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), hash.bytes.data(), nullptr) == 1);
    return hash;
}

std::string to_hex(std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text.push_back(digits[byte >> 4]);
        text.push_back(digits[byte & 15]);
    }
    return text;
}

std::string from_hex(std::string_view text) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string bytes;
    if (text.size() % 2 != 0) return bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const auto high = digits.find(text[i]);
        const auto low = digits.find(text[i + 1]);
        if (high == std::string_view::npos || low == std::string_view::npos) return {};
        bytes.push_back(static_cast<char>(high * 16 + low));
    }
    return bytes;
}

namespace {

constexpr std::string_view base64url_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// By character; negative: it is not one of the alphabet's.
constexpr std::array<std::int8_t, 256> base64url_values = [] {
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    for (std::size_t i = 0; i < base64url_alphabet.size(); ++i)
        values[static_cast<std::uint8_t>(base64url_alphabet[i])] = static_cast<std::int8_t>(i);
    return values;
}();

}  // namespace

std::string to_base64url(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() * 4 + 2) / 3);
    std::uint32_t pending = 0;
    int bits = 0;
    for (const char c : bytes) {
        pending = pending << 8 | static_cast<unsigned char>(c);
        bits += 8;
        while (bits >= 6) {
            bits -= 6;
            text.push_back(base64url_alphabet[pending >> bits & 63]);
        }
    }
    if (bits > 0) text.push_back(base64url_alphabet[pending << (6 - bits) & 63]);
    return text;
}

bool from_base64url(std::string_view text, std::string& out) {
    out.clear();
    if (text.size() % 4 == 1) return false;
    out.reserve(text.size() * 3 / 4);
    std::uint32_t pending = 0;
    int bits = 0;
    for (const char c : text) {
        const std::int8_t value = base64url_values[static_cast<std::uint8_t>(c)];
        if (value < 0) return false;
        pending = pending << 6 | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out.push_back(static_cast<char>(pending >> bits & 0xFF));
        }
    }
    return (pending & ((1U << bits) - 1)) == 0;
}

namespace {

void generate(std::span<std::uint8_t> out) {
    BOS_ASSERT(::RAND_bytes(out.data(), static_cast<int>(out.size())) == 1);
}

/// A call of OpenSSL's generator costs a microsecond for 16 bytes and hardly more for 512: an id
/// for each request was a twelfth of what the gateway did. What was given out is wiped.
class RandomAhead {
  public:
    RandomAhead() = default;
    RandomAhead(const RandomAhead&) = delete;
    RandomAhead& operator=(const RandomAhead&) = delete;
    ~RandomAhead() { ::OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

    static constexpr std::size_t size = 512;

    void take(std::span<std::uint8_t> out) {
        if (out.size() > left_) {
            generate(bytes_);
            left_ = size;
        }
        const auto given = std::span(bytes_).subspan(size - left_, out.size());
        std::ranges::copy(given, out.begin());
        ::OPENSSL_cleanse(given.data(), given.size());
        left_ -= out.size();
    }

  private:
    std::array<std::uint8_t, size> bytes_{};
    std::size_t left_ = 0;
};

}  // namespace

void SystemRandom::fill(std::span<std::uint8_t> out) {
    if (out.size() > RandomAhead::size / 4) return generate(out);
    thread_local RandomAhead ahead;
    ahead.take(out);
}

Uuid new_uuid(Timestamp now, Random& random) {
    Uuid uuid;
    random.fill(uuid.bytes);
    const auto millis = static_cast<std::uint64_t>(micros(now) / 1000);
    for (int i = 0; i < 6; ++i) {
        uuid.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(millis >> (40 - 8 * i));
    }
    uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0F) | 0x70);
    uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3F) | 0x80);
    return uuid;
}

}  // namespace bos
