#pragma once

#include "schemas/base/position.h"
#include "schemas/base/random.h"

#include <optional>
#include <string>
#include <string_view>

namespace bos::gateway {

/// A bearer credential: "bos_<id>_<secret>". The id (16 hexadecimal digits) finds it and may be
/// logged; the secret is 32 random bytes in base64url. The fixed prefix lets secret scanners
/// recognise it.
struct ApiKey {
    std::string id;
    std::string secret;  ///< 32 bytes, decoded
};

[[nodiscard]] ApiKey new_api_key(Random& random);
[[nodiscard]] std::string to_text(const ApiKey& key);
/// Exactly what to_text writes: each key has one text.
[[nodiscard]] std::optional<ApiKey> parse_api_key(std::string_view text);

/// What is stored instead of the secret. A fast hash is right here: it protects against nothing but
/// a stolen file, and 256 random bits cannot be found by trying. Slow hashes are for what people
/// invent.
[[nodiscard]] Hash hash_of_secret(const ApiKey& key);

/// Takes the same time wherever the two differ.
[[nodiscard]] bool same_in_constant_time(const Hash& left, const Hash& right);

}  // namespace bos::gateway
