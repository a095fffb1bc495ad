#pragma once

#include "schemas/base/position.h"
#include "schemas/base/result.h"
#include "schemas/base/tenant.h"
#include "schemas/base/time.h"
#include "schemas/base/uuid.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

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

    friend bool operator==(const Credential&, const Credential&) = default;
};

/// By key id, without those that were revoked.
using CredentialMap = std::map<std::string, Credential, std::less<>>;

/// API keys are kept as a sequence of lines, one JSON object each:
///
///     {"type":"created","key":"0123456789abcdef","sha256":"<64
///     hex>","tenant":"acme","user":"<uuid>",
///      "name":"Ada","role":"agent","created_at":"2026-…Z","expires_at":"2027-…Z"}      (one line)
///     {"type":"revoked","key":"0123456789abcdef","at":"2026-…Z"}
///
/// They hold no secret.
[[nodiscard]] std::string created_line(const Credential& credential);
[[nodiscard]] std::string revoked_line(std::string_view key_id, Timestamp at);

struct Revocation {
    std::string key_id;
};
/// None: not a line that we write.
[[nodiscard]] std::optional<std::variant<Credential, Revocation>> parse_credential_line(
    std::string_view line);

/// Where API keys are kept.
class CredentialBook {
  public:
    virtual ~CredentialBook() = default;

    [[nodiscard]] virtual Result<CredentialMap> read() const = 0;
    /// Durable when it returns.
    [[nodiscard]] virtual Result<void> append_created(const Credential& credential) = 0;
    /// not_found: no such key, or it is revoked already.
    [[nodiscard]] virtual Result<void> append_revoked(std::string_view key_id, Timestamp at) = 0;
};

/// The API keys as a server asks for them. Thread-safe.
class CredentialSource {
  public:
    virtual ~CredentialSource() = default;

    /// Empty: no such key. An error: what there is does not read, and nobody is let in.
    [[nodiscard]] virtual Result<std::optional<Credential>> find(std::string_view key_id) = 0;
};

}  // namespace bos::gateway
