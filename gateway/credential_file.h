#pragma once

#include "gateway/credential.h"
#include "schemas/base/result.h"
#include "schemas/base/time.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bos::gateway {

/// The append-only file of API keys of one node: the lines of credential.h.
///
/// It is apart from the log, as a key must be there before the first command, and holds no secret.
/// Mode 0600; a file that others may read or write is refused. Appending takes an exclusive flock
/// and ends with fsync, so the command line may add keys while a server reads. A last line without
/// its end was cut off by a crash before anybody was told of it: readers pass over it, the next
/// append removes it. Any other line that does not read is `corrupt`: behind it could be a
/// revocation.
class CredentialFile final : public CredentialBook {
  public:
    explicit CredentialFile(std::filesystem::path path) : path_(std::move(path)) {}

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    /// A file that is not there is empty.
    [[nodiscard]] Result<CredentialMap> read() const override;
    /// Every line that counts.
    [[nodiscard]] Result<std::vector<std::string>> lines() const;
    /// Makes these the lines of the file, all or none.
    [[nodiscard]] Result<void> replace(const std::vector<std::string>& lines) const;
    [[nodiscard]] Result<void> append_created(const Credential& credential) override;
    [[nodiscard]] Result<void> append_revoked(std::string_view key_id, Timestamp at) override;

  private:
    [[nodiscard]] Result<void> append(std::string_view line) const;

    std::filesystem::path path_;
};

}  // namespace bos::gateway
