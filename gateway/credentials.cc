#include "gateway/credentials.h"

#include "gateway/api_key.h"
#include "gateway/roles.h"

#include <spdlog/spdlog.h>

#include <mutex>
#include <sys/stat.h>
#include <utility>

namespace bos::gateway {

Result<std::string> create_api_key(CredentialBook& book, const NewCredential& credential,
                                   Timestamp now, Random& random) {
    if (!grants_of_role(credential.role)) return fail(Code::invalid, "no such role");
    if (credential.user_name.size() > 200) return fail(Code::invalid, "the name is too long");
    const ApiKey key = new_api_key(random);
    BOS_CHECK(book.append_created(Credential{.key_id = key.id,
                                             .secret_hash = hash_of_secret(key),
                                             .tenant = credential.tenant,
                                             .user = credential.user,
                                             .user_name = credential.user_name,
                                             .role = credential.role,
                                             .created_at = now,
                                             .expires_at = credential.expires_at}));
    return to_text(key);
}

Result<void> Credentials::load() {
    const std::scoped_lock lock(mutex_);
    return read_if_changed();
}

Result<std::optional<Credential>> Credentials::find(std::string_view key_id) {
    {
        const std::shared_lock lock(mutex_);
        const auto found = credentials_.find(key_id);
        const bool is_due = std::chrono::steady_clock::now() - checked_at_ >= recheck_;
        if (stamp_ && found != credentials_.end() && !is_due) return found->second;
    }
    const std::scoped_lock lock(mutex_);
    BOS_CHECK(read_if_changed());
    const auto found = credentials_.find(key_id);
    if (found == credentials_.end()) return std::nullopt;
    return found->second;
}

Credentials::Stamp Credentials::stamp_of_file() const {
    struct stat status{};
    if (::stat(file_.path().c_str(), &status) != 0) return {};
    return {.inode = status.st_ino,
            .size = status.st_size,
            .modified_seconds = status.st_mtim.tv_sec,
            .modified_nanoseconds = status.st_mtim.tv_nsec};
}

Result<void> Credentials::read_if_changed() {
    // Before reading: what is appended meanwhile is then read again rather than missed.
    const Stamp stamp = stamp_of_file();
    checked_at_ = std::chrono::steady_clock::now();
    if (stamp_ == stamp) return {};
    auto read = file_.read();
    if (!read) {
        stamp_.reset();
        spdlog::error("gateway: nobody is let in: {}", read.error().detail);
        return std::unexpected(std::move(read).error());
    }
    credentials_ = *std::move(read);
    stamp_ = stamp;
    return {};
}

}  // namespace bos::gateway
