#include "gateway/shared_credentials.h"

#include "gateway/checked_line.h"
#include "gateway/private_file.h"
#include "schemas/base/digest.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <variant>

namespace bos::gateway {

namespace {

using eventstore::kafka::SharedTopic;

// A request waits for it.
constexpr auto look_timeout = std::chrono::milliseconds(500);
constexpr std::string_view place_head = "place ";

}  // namespace

Result<std::unique_ptr<SharedCredentials>> SharedCredentials::open(
    SharedCredentialsOptions options) {
    options.topic.keep = SharedTopic::Keep::all;
    std::unique_ptr<SharedCredentials> credentials(new SharedCredentials(std::move(options)));
    BOS_TRY(const auto place, credentials->read_copy());
    BOS_TRY(credentials->topic_, SharedTopic::open(credentials->options_.topic, place,
                                                   [self = credentials.get()](
                                                       std::span<const SharedTopic::Record> records,
                                                       const SharedTopic::Place& behind) {
                                                       return self->apply(records, behind);
                                                   }));
    return credentials;
}

SharedCredentials::~SharedCredentials() { topic_.reset(); }

Result<CredentialMap> SharedCredentials::read() const {
    BOS_CHECK(topic_->refresh());
    const std::lock_guard lock(mutex_);
    return credentials_;
}

Result<void> SharedCredentials::append_created(const Credential& credential) {
    return append({created_line(credential)});
}

Result<void> SharedCredentials::append_revoked(std::string_view key_id, Timestamp at) {
    BOS_CHECK(topic_->refresh());
    if (!known(key_id)) return fail(Code::not_found, "no such key");
    return append({revoked_line(key_id, at)});
}

Result<std::optional<Credential>> SharedCredentials::find(std::string_view key_id) {
    if (auto credential = known(key_id)) return credential;
    const auto now = std::chrono::steady_clock::now();
    if (looks_.wait_of("", now).count() > 0) return std::nullopt;
    looks_.take("", now);
    static_cast<void>(topic_->refresh(look_timeout));  // without answer it stays unknown
    return known(key_id);
}

Result<std::vector<std::string>> SharedCredentials::lines() {
    BOS_CHECK(topic_->refresh());
    const std::lock_guard lock(mutex_);
    return lines_;
}

Result<void> SharedCredentials::adopt(const std::vector<std::string>& lines) {
    BOS_TRY(std::vector<std::string> there, this->lines());
    std::ranges::sort(there);
    std::vector<std::string> missing;
    for (const std::string& line : lines) {
        if (!std::ranges::binary_search(there, line)) missing.push_back(line);
    }
    return append(std::move(missing));
}

std::optional<Credential> SharedCredentials::known(std::string_view key_id) const {
    const std::lock_guard lock(mutex_);
    const auto found = credentials_.find(key_id);
    return found == credentials_.end() ? std::nullopt : std::optional(found->second);
}

Result<void> SharedCredentials::append(std::vector<std::string> lines) {
    if (lines.empty()) return {};
    std::vector<SharedTopic::Row> rows;
    for (std::string& line : lines) rows.push_back({.key = {}, .value = std::move(line)});
    BOS_TRY(const eventstore::Offset last, topic_->append(std::move(rows)));
    return topic_->wait_for(last);
}

// --- on the topic's thread ---------------------------------------------------------------------

Result<void> SharedCredentials::apply(std::span<const SharedTopic::Record> records,
                                      const SharedTopic::Place& behind) {
    const std::lock_guard lock(mutex_);
    for (const SharedTopic::Record& record : records) {
        if (record.value && apply(*record.value)) continue;
        spdlog::error("credentials: the record at offset {} is no line of ours and is passed over",
                      record.offset.value);
    }
    // The copy may be older than what is known: then it is read again.
    if (const auto written = write_copy(behind); !written) {
        spdlog::warn("credentials: {}", written.error().detail);
    }
    return {};
}

/// With mutex_ held. A record that Kafka has twice says nothing new the second time, above all not
/// after a revocation.
bool SharedCredentials::apply(std::string_view text) {
    auto line = parse_credential_line(text);
    if (!line) return false;
    lines_.emplace_back(text);
    if (const auto* revocation = std::get_if<Revocation>(&*line)) {
        credentials_.erase(revocation->key_id);
        return true;
    }
    auto& credential = std::get<Credential>(*line);
    if (created_.insert(credential.key_id).second) {
        std::string key_id = credential.key_id;
        credentials_.emplace(std::move(key_id), std::move(credential));
    }
    return true;
}

// --- the copy ----------------------------------------------------------------------------------

/// A copy that does not read is none: the topic has it all.
Result<std::optional<SharedTopic::Place>> SharedCredentials::read_copy() {
    if (options_.copy.empty()) return std::nullopt;
    struct stat status{};
    if (::stat(options_.copy.c_str(), &status) != 0) return std::nullopt;
    BOS_CHECK(check_private(std::filesystem::perms(status.st_mode), options_.copy));
    std::ifstream in(options_.copy);
    std::string line;
    const auto next = [&]() -> std::optional<std::string_view> {
        return std::getline(in, line) ? text_of_checked(line) : std::nullopt;
    };
    const auto head = next();
    if (!head || !head->starts_with(place_head)) return std::nullopt;
    const auto place =
        SharedTopic::parse_place(from_hex(std::string(head->substr(place_head.size()))));
    bool reads = place.has_value();
    while (reads && in.peek() != std::ifstream::traits_type::eof()) {
        const auto text = next();
        reads = text && apply(*text);
    }
    if (reads) return place;
    credentials_.clear();
    created_.clear();
    lines_.clear();
    return std::nullopt;
}

/// Whole or not at all; not synced, for it is not the only copy.
Result<void> SharedCredentials::write_copy(const SharedTopic::Place& place) const {
    if (options_.copy.empty()) return {};
    std::string content =
        checked_line(fmt::format("{}{}", place_head, to_hex(SharedTopic::to_bytes(place)))) + "\n";
    for (const std::string& line : lines_) content += checked_line(line) + "\n";
    const std::string draft = options_.copy.string() + ".new";
    const int file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool written = file >= 0 && ::write(file, content.data(), content.size()) ==
                                          static_cast<ssize_t>(content.size());
    if (file >= 0) ::close(file);
    if (!written || ::rename(draft.c_str(), options_.copy.c_str()) != 0) {
        return fail(Code::unavailable, fmt::format("cannot write {}", options_.copy.string()));
    }
    return {};
}

}  // namespace bos::gateway
