#pragma once

#include "gateway/credential_file.h"
#include "schemas/base/random.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

namespace bos::gateway {

/// What `bos key create` asks for.
struct NewCredential {
    TenantId tenant;
    UserId user;
    std::string user_name;
    std::string role;  ///< one of roles.h
    std::optional<Timestamp> expires_at;
};

/// Makes a key, stores its hash durably, and gives its text, which nobody can ask for again.
/// invalid: no such role, or a name of more than 200 bytes.
[[nodiscard]] Result<std::string> create_api_key(CredentialBook& book,
                                                 const NewCredential& credential, Timestamp now,
                                                 Random& random);

/// The keys of a credential file as a server sees them. Follows the file: a new key works at once,
/// a revoked one ends within `recheck`. Thread-safe.
class Credentials final : public CredentialSource {
  public:
    /// `recheck`: a stat per request would be cheap, but there is no need for it.
    explicit Credentials(std::filesystem::path path,
                         std::chrono::milliseconds recheck = std::chrono::seconds(1))
        : file_(std::move(path)), recheck_(recheck) {}

    /// Reads the file a first time, so that a server does not start with one that does not read.
    [[nodiscard]] Result<void> load();

    /// Empty: no such key. An error: the file does not read. Then nobody is let in, as the line
    /// that does not read may be a revocation.
    [[nodiscard]] Result<std::optional<Credential>> find(std::string_view key_id) override;

  private:
    /// What tells that a file is another one than before.
    struct Stamp {
        std::uint64_t inode = 0;
        std::int64_t size = -1;
        std::int64_t modified_seconds = 0;
        std::int64_t modified_nanoseconds = 0;
        friend bool operator==(const Stamp&, const Stamp&) = default;
    };

    [[nodiscard]] Stamp stamp_of_file() const;
    [[nodiscard]] Result<void> read_if_changed();

    const CredentialFile file_;
    const std::chrono::milliseconds recheck_;

    std::shared_mutex mutex_;  // guards what follows
    CredentialMap credentials_;
    std::optional<Stamp> stamp_;  // of what credentials_ was read from; empty = must be read
    std::chrono::steady_clock::time_point checked_at_;
};

}  // namespace bos::gateway
