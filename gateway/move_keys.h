#pragma once

#include "gateway/open_log.h"
#include "schemas/base/result.h"

#include <filesystem>
#include <string>

namespace bos::gateway {

/// Puts the keys of personal data, and the API keys, that a folder has of its own into the topics:
/// those that are not there yet. Nobody has the folder's key store open. Errors: those of
/// SharedKeyStore::adopt, SharedCredentials::adopt and of opening them.
[[nodiscard]] Result<void> share_keys(const std::filesystem::path& data, const KafkaCluster& kafka,
                                      const std::string& master_key);
[[nodiscard]] Result<void> share_credentials(const std::filesystem::path& data,
                                             const KafkaCluster& kafka);
/// What was shared is not the folder's own any more: it stands beside under other names. Errors:
/// unavailable.
[[nodiscard]] Result<void> put_own_keys_aside(const std::filesystem::path& data);
/// And back.
[[nodiscard]] Result<void> put_own_keys_back(const std::filesystem::path& data);
/// Removes what was put aside: keys that are destroyed from now on would live on there.
[[nodiscard]] Result<void> forget_own_keys(const std::filesystem::path& data);

/// And back: makes what the topics have the folder's own. Errors: conflict = it has keys of its
/// own.
[[nodiscard]] Result<void> bring_keys(const std::filesystem::path& data, const KafkaCluster& kafka,
                                      const std::string& master_key);
[[nodiscard]] Result<void> bring_credentials(const std::filesystem::path& data,
                                             const KafkaCluster& kafka);
[[nodiscard]] Result<void> remove_copies_of_keys(const std::filesystem::path& data);

}  // namespace bos::gateway
