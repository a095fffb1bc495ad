#pragma once

#include "gateway/credential.h"
#include "gateway/open_log.h"
#include "gateway/shared_credentials.h"

#include <filesystem>
#include <memory>

namespace bos::gateway {

/// Where the API keys of a data folder are: <data>/credentials.jsonl, or on Kafka with a copy of
/// their own in <data>/shared-credentials. Errors: invalid = they are in the other place; those of
/// Credentials::load and SharedCredentials::open.
[[nodiscard]] Result<std::unique_ptr<CredentialSource>> open_credentials(
    const std::filesystem::path& data, const KafkaCluster& kafka);

/// The same for the words of the command line, which run beside a server.
[[nodiscard]] Result<std::unique_ptr<CredentialBook>> open_credential_book(
    const std::filesystem::path& data, const KafkaCluster& kafka);

/// The topic alone, with or without a copy of this node.
[[nodiscard]] Result<std::unique_ptr<SharedCredentials>> open_shared_credentials(
    const KafkaCluster& kafka, const std::filesystem::path& copy = {});

[[nodiscard]] std::filesystem::path credential_file(const std::filesystem::path& data);
[[nodiscard]] std::filesystem::path credential_copy(const std::filesystem::path& data);

}  // namespace bos::gateway
