#pragma once

#include "eventstore/key_store.h"
#include "eventstore/shared_key_store.h"
#include "gateway/open_log.h"

#include <filesystem>
#include <memory>
#include <string>

namespace bos::gateway {

/// The keys of personal data of a data folder: <data>/keys, or on Kafka with a copy in
/// <data>/shared-keys. `master_key` is a file; empty = <data>/master.key. Errors: invalid = the
/// keys are in the other place; those of RocksKeyStore::open and SharedKeyStore::open.
[[nodiscard]] Result<std::unique_ptr<eventstore::KeyStore>> open_keys(
    const std::filesystem::path& data, const KafkaCluster& kafka, const std::string& master_key);

/// The topic and <data>/shared-keys, whatever else is in the folder.
[[nodiscard]] Result<std::unique_ptr<eventstore::SharedKeyStore>> open_shared_keys(
    const std::filesystem::path& data, const KafkaCluster& kafka, const std::string& master_key);

}  // namespace bos::gateway
