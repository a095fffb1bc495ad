#include "gateway/api_key.h"

#include "schemas/base/digest.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace bos::gateway {

namespace {

constexpr std::string_view prefix = "bos_";
constexpr std::size_t id_digits = 16;
constexpr std::size_t secret_bytes = 32;

template <std::size_t size>
std::string random_bytes(Random& random) {
    std::array<std::uint8_t, size> bytes{};
    random.fill(bytes);
    return {bytes.begin(), bytes.end()};
}

bool is_id_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

ApiKey new_api_key(Random& random) {
    return {to_hex(random_bytes<id_digits / 2>(random)), random_bytes<secret_bytes>(random)};
}

std::string to_text(const ApiKey& key) {
    return fmt::format("{}{}_{}", prefix, key.id, to_base64url(key.secret));
}

std::optional<ApiKey> parse_api_key(std::string_view text) {
    if (!text.starts_with(prefix)) return std::nullopt;
    text.remove_prefix(prefix.size());
    if (text.size() <= id_digits || text[id_digits] != '_') return std::nullopt;
    ApiKey key;
    key.id = text.substr(0, id_digits);
    if (!std::ranges::all_of(key.id, is_id_digit)) return std::nullopt;
    const bool is_base64 = from_base64url(text.substr(id_digits + 1), key.secret);
    if (!is_base64 || key.secret.size() != secret_bytes) return std::nullopt;
    return key;
}

Hash hash_of_secret(const ApiKey& key) { return sha256(key.secret); }

bool same_in_constant_time(const Hash& left, const Hash& right) {
    return CRYPTO_memcmp(left.bytes.data(), right.bytes.data(), left.bytes.size()) == 0;
}

}  // namespace bos::gateway
