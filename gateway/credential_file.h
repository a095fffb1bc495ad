#pragma once

#include "schemas/base/position.h"
#include "schemas/base/result.h"
#include "schemas/base/tenant.h"
#include "schemas/base/time.h"
#include "schemas/base/uuid.h"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace bos::gateway {

/// Who an API key stands for.
struct Credential {
    std::string key_id;
    Hash secret_hash;
    TenantId tenant;
    UserId user;
    std::string user_name;  ///< shown to administrators; never logged
    std::string role;
    Timestamp created_at;
    std::optional<Timestamp> expires_at;
};

/// By key id, without those that were revoked.
using CredentialMap = std::map<std::string, Credential, std::less<>>;

/// The append-only file of API keys, one JSON object a line:
///
///     {"type":"created","key":"0123456789abcdef","sha256":"<64
///     hex>","tenant":"acme","user":"<uuid>",
///      "name":"Ada","role":"agent","created_at":"2026-…Z","expires_at":"2027-…Z"}      (one line)
///     {"type":"revoked","key":"0123456789abcdef","at":"2026-…Z"}
///
/// It is apart from the log, as a key must be there before the first command, and holds no secret.
/// Mode 0600; a file that others may read or write is refused. Appending takes an exclusive flock
/// and ends with fsync, so the command line may add keys while a server reads. A last line without
/// its end was cut off by a crash before anybody was told of it: readers pass over it, the next
/// append removes it. Any other line that does not read is `corrupt`: behind it could be a
/// revocation.
class CredentialFile {
  public:
    explicit CredentialFile(std::filesystem::path path) : path_(std::move(path)) {}

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    /// A file that is not there is empty.
    [[nodiscard]] Result<CredentialMap> read() const;
    [[nodiscard]] Result<void> append_created(const Credential& credential) const;
    /// not_found: no such key, or it is revoked already.
    [[nodiscard]] Result<void> append_revoked(std::string_view key_id, Timestamp at) const;

  private:
    [[nodiscard]] Result<void> append(std::string_view line) const;

    std::filesystem::path path_;
};

}  // namespace bos::gateway
