#include "gateway/move_keys.h"

#include "eventstore/key_rows.h"
#include "gateway/credential_file.h"
#include "gateway/move_log.h"
#include "gateway/open_credentials.h"
#include "gateway/open_keys.h"

#include <fmt/format.h>

namespace bos::gateway {

namespace {

namespace fs = std::filesystem;

Result<void> remove_folder(const fs::path& folder) {
    std::error_code error;
    fs::remove_all(folder, error);
    if (!error) return {};
    return fail(Code::unavailable,
                fmt::format("cannot remove {}: {}", folder.string(), error.message()));
}

}  // namespace

Result<void> share_keys(const fs::path& data, const KafkaCluster& kafka,
                        const std::string& master_key) {
    if (!fs::exists(data / "keys")) return {};
    BOS_TRY(const auto own, eventstore::KeyRows::open({.path = (data / "keys").string()}));
    BOS_TRY(const auto shared, open_shared_keys(data, kafka, master_key));
    return shared->adopt(*own);
}

Result<void> share_credentials(const fs::path& data, const KafkaCluster& kafka) {
    if (!fs::exists(credential_file(data))) return {};
    BOS_TRY(const auto lines, CredentialFile(credential_file(data)).lines());
    BOS_TRY(const auto shared, open_shared_credentials(kafka));
    return shared->adopt(lines);
}

Result<void> bring_keys(const fs::path& data, const KafkaCluster& kafka,
                        const std::string& master_key) {
    if (fs::exists(data / "keys") && !fs::exists(data / "shared-keys")) {
        return fail(Code::conflict, fmt::format("{} has keys of this node alone: pull into another "
                                                "folder, or remove it",
                                                (data / "keys").string()));
    }
    BOS_TRY(const auto shared, open_shared_keys(data, kafka, master_key));
    BOS_CHECK(remove_folder(data / "keys.new"));
    {
        BOS_TRY(const auto own, eventstore::KeyRows::open({.path = (data / "keys.new").string()}));
        BOS_CHECK(shared->copy_to(*own));
    }
    BOS_CHECK(remove_folder(data / "keys"));  // of a pull that was cut short
    return move_away(data / "keys.new", data / "keys");
}

Result<void> bring_credentials(const fs::path& data, const KafkaCluster& kafka) {
    BOS_TRY(const auto shared, open_shared_credentials(kafka));
    BOS_TRY(const auto lines, shared->lines());
    return CredentialFile(credential_file(data)).replace(lines);
}

Result<void> put_own_keys_aside(const fs::path& data) {
    BOS_CHECK(move_away(data / "keys", data / "promoted-keys"));
    return move_away(credential_file(data), data / "promoted-credentials.jsonl");
}

Result<void> put_own_keys_back(const fs::path& data) {
    BOS_CHECK(move_away(data / "promoted-keys", data / "keys"));
    return move_away(data / "promoted-credentials.jsonl", credential_file(data));
}

Result<void> forget_own_keys(const fs::path& data) { return remove_folder(data / "promoted-keys"); }

Result<void> remove_copies_of_keys(const fs::path& data) {
    BOS_CHECK(remove_folder(data / "shared-keys"));
    return remove_folder(credential_copy(data));
}

}  // namespace bos::gateway
