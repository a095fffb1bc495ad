#pragma once

#include "schemas/base/position.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace bos {

/// SHA-256 (FIPS 180-4) by OpenSSL.
[[nodiscard]] Hash sha256(std::string_view bytes);
/// HMAC-SHA-256 (RFC 2104) by OpenSSL.
[[nodiscard]] Hash hmac_sha256(std::string_view key, std::string_view bytes);

/// SHA-256 of a text that arrives in pieces.
class Sha256 {
  public:
    Sha256();
    ~Sha256();
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;
    void update(std::string_view bytes);
    [[nodiscard]] Hash finish();

  private:
    void* context_;
};

/// Lower-case hexadecimal.
[[nodiscard]] std::string to_hex(std::string_view bytes);
[[nodiscard]] inline std::string to_hex(const Hash& hash) {
    return to_hex({reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size()});
}
/// The bytes that lower-case hexadecimal stands for; empty when it is none.
[[nodiscard]] std::string from_hex(std::string_view text);
/// base64url without padding (RFC 4648 section 5).
[[nodiscard]] std::string to_base64url(std::string_view bytes);
/// Refuses padding, other alphabets and non-zero spare bits, so that each text has one meaning.
[[nodiscard]] bool from_base64url(std::string_view text, std::string& out);

}  // namespace bos
