#pragma once

#include "eventstore/aead.h"
#include "schemas/base/random.h"
#include "schemas/base/result.h"

#include <string>
#include <string_view>

namespace bos::eventstore {

/// The key that wraps every secret in the key store's database, so that a copy of the database
/// alone is worthless. 64 hexadecimal digits and a line feed in a file of its own, mode 0600.
class MasterKey {
  public:
    /// Errors: not_found; denied = others may read the file; corrupt.
    [[nodiscard]] static Result<MasterKey> load(const std::string& path);
    /// Makes and syncs a new file. Errors: conflict = there is one.
    [[nodiscard]] static Result<MasterKey> create(const std::string& path, Random& random);

    ~MasterKey();
    MasterKey(const MasterKey&) = default;
    MasterKey& operator=(const MasterKey&) = default;

    /// Nonce, ciphertext, tag. `place` says where the secret stands: it opens nowhere else.
    [[nodiscard]] std::string wrap(std::string_view place, std::string_view secret,
                                   Random& random) const;
    /// Errors: corrupt.
    [[nodiscard]] Result<std::string> unwrap(std::string_view place,
                                             std::string_view wrapped) const;

  private:
    explicit MasterKey(const Aes256Key& key) : key_(key) {}

    Aes256Key key_;
};

/// Bytes that wrap() adds to a secret.
inline constexpr std::size_t wrap_overhead_bytes = sizeof(GcmNonce) + gcm_tag_bytes;

}  // namespace bos::eventstore
