#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bos::eventstore {

/// AES-256-GCM (NIST SP 800-38D) by OpenSSL. A nonce must never be used twice with the same key;
/// random ones are good for 2^32 messages per key.
using Aes256Key = std::array<std::uint8_t, 32>;
using GcmNonce = std::array<std::uint8_t, 12>;
inline constexpr std::size_t gcm_tag_bytes = 16;

/// Ciphertext, then tag.
[[nodiscard]] std::string gcm_seal(const Aes256Key& key, const GcmNonce& nonce,
                                   std::string_view associated, std::string_view plain);
/// Empty: not what gcm_seal made with this key, nonce and associated data.
[[nodiscard]] std::optional<std::string> gcm_open(const Aes256Key& key, const GcmNonce& nonce,
                                                  std::string_view associated,
                                                  std::string_view sealed);

}  // namespace bos::eventstore
