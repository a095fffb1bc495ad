#pragma once

#include "gateway/credential.h"
#include "gateway/problem.h"
#include "gateway/rate_limit.h"
#include "schemas/base/permission.h"
#include "schemas/base/tenant.h"
#include "schemas/base/time.h"
#include "schemas/base/uuid.h"

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace bos::gateway {

/// Who a request comes from, told by its credential alone.
struct Principal {
    TenantId tenant;
    UserId user;
    std::string user_name;  ///< never logged
    std::string role;
    Grants grants;
    std::string key_id;  ///< may be logged
};

/// Turns an Authorization header into a principal. Keys are taken from the header only: query
/// strings end up in logs, histories and Referer fields. Thread-safe.
class Authenticator {
  public:
    Authenticator(CredentialSource& credentials, Clock& clock, RateLimit failures_per_peer = {})
        : credentials_(credentials), clock_(clock), failures_(failures_per_peer) {}

    /// `peer` is the request's peer address. 401 with WWW-Authenticate, alike for an unknown, a
    /// wrong, a revoked and an expired key; 429 instead when the peer failed too often; 503 when
    /// the keys do not read.
    [[nodiscard]] std::expected<Principal, Problem> authenticate(
        std::optional<std::string_view> authorization, std::string_view peer);

  private:
    [[nodiscard]] Result<std::optional<Credential>> credential_for(std::string_view authorization);

    CredentialSource& credentials_;
    Clock& clock_;
    PeerBuckets failures_;
};

}  // namespace bos::gateway
