#include "gateway/credential_file.h"

#include "gateway/checked_line.h"
#include "gateway/private_file.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <variant>

namespace bos::gateway {

namespace {

class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int number() const { return number_; }
    [[nodiscard]] bool is_open() const { return number_ >= 0; }

  private:
    int number_;
};

std::unexpected<Error> failed(std::string_view what, const std::filesystem::path& path) {
    const int code = errno;
    return fail(code == ENOSPC ? Code::full : Code::unavailable,
                fmt::format("{} {}: {}", what, path.string(), std::strerror(code)));
}

Result<void> check_mode(const Descriptor& file, const std::filesystem::path& path) {
    struct stat status{};
    if (::fstat(file.number(), &status) != 0) return failed("cannot examine", path);
    return check_private(std::filesystem::perms(status.st_mode), path);
}

Result<std::string> read_all(const Descriptor& file, const std::filesystem::path& path) {
    std::string content;
    std::array<char, 16384> block;
    while (true) {
        const ssize_t size =
            ::pread(file.number(), block.data(), block.size(), static_cast<off_t>(content.size()));
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return failed("cannot read", path);
        if (size == 0) return content;
        content.append(block.data(), static_cast<std::size_t>(size));
    }
}

Result<void> write_all(const Descriptor& file, std::string_view bytes,
                       const std::filesystem::path& path) {
    while (!bytes.empty()) {
        const ssize_t size = ::write(file.number(), bytes.data(), bytes.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return failed("cannot write", path);
        bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return {};
}

Result<void> sync_folder(const std::filesystem::path& path) {
    const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
    const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened.is_open() || ::fsync(opened.number()) != 0) return failed("cannot sync", folder);
    return {};
}

/// False when the line is not one that we write.
bool apply_line(std::string_view written, CredentialMap& credentials) {
    const auto text = text_of_checked(written);
    auto line = text ? parse_credential_line(*text) : std::nullopt;
    if (!line) return false;
    if (const auto* revocation = std::get_if<Revocation>(&*line)) {
        credentials.erase(revocation->key_id);
        return true;
    }
    auto& credential = std::get<Credential>(*line);
    std::string key_id = credential.key_id;
    return credentials.emplace(std::move(key_id), std::move(credential)).second;
}

/// `each`, if given, gets the lines that count.
Result<CredentialMap> parse_lines(std::string_view content, const std::filesystem::path& path,
                                  std::vector<std::string>* each = nullptr) {
    CredentialMap credentials;
    int number = 0;
    while (!content.empty()) {
        ++number;
        const std::size_t end = content.find('\n');
        const std::string_view line = content.substr(0, end);
        content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
        if (apply_line(line, credentials)) {
            if (each) each->emplace_back(*text_of_checked(line));
            continue;
        }
        if (end == std::string_view::npos) {
            spdlog::warn("gateway: {} ends inside line {}, which is passed over", path.string(),
                         number);
            break;
        }
        return fail(Code::corrupt, fmt::format("{} line {} does not read", path.string(), number));
    }
    return credentials;
}

/// Where the next line starts: behind the last line that has its end, or that reads without it (an
/// editor's work).
std::size_t end_of_lines(std::string_view content, bool& needs_line_end) {
    const std::size_t last_end = content.rfind('\n');
    const std::size_t tail = last_end == std::string_view::npos ? 0 : last_end + 1;
    CredentialMap ignored;
    needs_line_end = tail < content.size() && apply_line(content.substr(tail), ignored);
    return needs_line_end ? content.size() : tail;
}

}  // namespace

Result<CredentialMap> CredentialFile::read() const {
    const Descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open()) {
        if (errno == ENOENT) return CredentialMap{};
        return failed("cannot open", path_);
    }
    BOS_CHECK(check_mode(file, path_));
    BOS_TRY(const std::string content, read_all(file, path_));
    return parse_lines(content, path_);
}

Result<std::vector<std::string>> CredentialFile::lines() const {
    const Descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open()) return failed("cannot open", path_);
    BOS_CHECK(check_mode(file, path_));
    BOS_TRY(const std::string content, read_all(file, path_));
    std::vector<std::string> lines;
    BOS_CHECK(parse_lines(content, path_, &lines));
    return lines;
}

Result<void> CredentialFile::replace(const std::vector<std::string>& lines) const {
    const std::filesystem::path draft = path_.string() + ".new";
    {
        const Descriptor file(
            ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        if (!file.is_open()) return failed("cannot open", draft);
        for (const std::string& line : lines)
            BOS_CHECK(write_all(file, checked_line(line) + "\n", draft));
        if (::fsync(file.number()) != 0) return failed("cannot sync", draft);
    }
    if (::rename(draft.c_str(), path_.c_str()) != 0) return failed("cannot replace", path_);
    return sync_folder(path_);
}

Result<void> CredentialFile::append_created(const Credential& credential) {
    return append(created_line(credential));
}

Result<void> CredentialFile::append_revoked(std::string_view key_id, Timestamp at) {
    BOS_TRY(const CredentialMap credentials, read());
    if (!credentials.contains(key_id)) return fail(Code::not_found, "no such key");
    return append(revoked_line(key_id, at));
}

Result<void> CredentialFile::append(std::string_view line) const {
    const Descriptor file(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!file.is_open()) return failed("cannot open", path_);
    BOS_CHECK(check_mode(file, path_));
    while (::flock(file.number(), LOCK_EX) != 0) {
        if (errno != EINTR) return failed("cannot lock", path_);
    }
    BOS_TRY(const std::string content, read_all(file, path_));
    bool needs_line_end = false;
    const std::size_t end = end_of_lines(content, needs_line_end);
    if (end < content.size() && ::ftruncate(file.number(), static_cast<off_t>(end)) != 0) {
        return failed("cannot shorten", path_);
    }
    const std::string bytes = fmt::format("{}{}\n", needs_line_end ? "\n" : "", checked_line(line));
    BOS_CHECK(write_all(file, bytes, path_));
    if (::fsync(file.number()) != 0) return failed("cannot sync", path_);
    if (content.empty()) BOS_CHECK(sync_folder(path_));
    return {};
}

}  // namespace bos::gateway
