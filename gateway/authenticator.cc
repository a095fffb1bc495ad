#include "gateway/authenticator.h"

#include "gateway/api_key.h"
#include "gateway/peer_network.h"
#include "gateway/roles.h"

#include <utility>

namespace bos::gateway {

namespace {

/// RFC 6750 3: without credentials no error code, with wrong ones invalid_token.
Problem unauthenticated(std::string_view challenge, std::string detail) {
    Problem problem = Problem::of(problems::unauthenticated, std::move(detail));
    problem.headers.set("WWW-Authenticate", std::string(challenge));
    return problem;
}

/// The token of "Bearer <token>"; the scheme in any case (RFC 9110 11.1).
std::optional<std::string_view> bearer_token(std::string_view authorization) {
    constexpr std::string_view scheme = "bearer ";
    if (authorization.size() <= scheme.size()) return std::nullopt;
    if (!same_name(authorization.substr(0, scheme.size()), scheme)) return std::nullopt;
    return authorization.substr(scheme.size());
}

}  // namespace

std::expected<Principal, Problem> Authenticator::authenticate(
    std::optional<std::string_view> authorization, std::string_view peer) {
    if (!authorization) {
        return std::unexpected(
            unauthenticated("Bearer", "Send an API key as Authorization: Bearer <key>."));
    }
    auto credential = credential_for(*authorization);
    if (!credential) {
        Problem problem = Problem::of(problems::unavailable, "Credentials cannot be checked.");
        problem.retry_after = std::chrono::seconds(5);
        return std::unexpected(std::move(problem));
    }
    if (!*credential) {
        // Behind a proxy or an office's router everybody has one address, so failures never shut
        // out a key that is valid: 256 random bits are not found by trying, whoever may try.
        const std::string network = peer_network(peer);
        const auto now = std::chrono::steady_clock::now();
        if (const auto wait = failures_.wait_of(network, now); wait.count() > 0) {
            Problem problem = Problem::of(problems::too_many_requests, "Too many failed attempts.");
            problem.retry_after = wait;
            return std::unexpected(std::move(problem));
        }
        failures_.take(network, now);
        return std::unexpected(
            unauthenticated("Bearer error=\"invalid_token\"", "The API key is not valid."));
    }
    Credential& found = **credential;
    // A role that the table no longer has grants nothing.
    Grants grants = grants_of_role(found.role).value_or(Grants{});
    return Principal{std::move(found.tenant), found.user,        std::move(found.user_name),
                     std::move(found.role),   std::move(grants), std::move(found.key_id)};
}

Result<std::optional<Credential>> Authenticator::credential_for(std::string_view authorization) {
    const auto token = bearer_token(authorization);
    const auto key = token ? parse_api_key(*token) : std::nullopt;
    if (!key) return std::nullopt;
    BOS_TRY(std::optional<Credential> credential, credentials_.find(key->id));
    // An unknown key costs what a known one costs.
    const Hash expected = credential ? credential->secret_hash : Hash{};
    const bool matches = same_in_constant_time(hash_of_secret(*key), expected);
    if (!credential || !matches) return std::nullopt;
    if (credential->expires_at && *credential->expires_at <= clock_.now()) return std::nullopt;
    return credential;
}

}  // namespace bos::gateway
