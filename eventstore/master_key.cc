#include "eventstore/master_key.h"

#include "schemas/base/digest.h"

#include <openssl/crypto.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace bos::eventstore {

namespace {

constexpr std::size_t file_bytes = 2 * sizeof(Aes256Key) + 1;

/// A file descriptor that closes itself.
class File {
  public:
    File(const std::string& path, int flags, mode_t mode = 0)
        : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
    ~File() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
    [[nodiscard]] int descriptor() const { return descriptor_; }

  private:
    const int descriptor_;
};

std::unexpected<Error> failed_with_errno(Code code, std::string_view doing,
                                         const std::string& path) {
    return fail(code,
                std::string(doing) + " " + path + ": " + std::generic_category().message(errno));
}

Result<void> sync_folder_of(const std::string& path) {
    std::string folder = std::filesystem::path(path).parent_path().string();
    if (folder.empty()) folder = ".";
    const File directory(folder, O_RDONLY | O_DIRECTORY);
    if (!directory.is_open() || ::fsync(directory.descriptor()) != 0) {
        return failed_with_errno(Code::unavailable, "sync", folder);
    }
    return {};
}

int nibble(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    return -1;
}

std::optional<Aes256Key> parse(std::string_view text) {
    if (text.size() != file_bytes || text.back() != '\n') return std::nullopt;
    Aes256Key key;
    for (std::size_t i = 0; i < key.size(); ++i) {
        const int high = nibble(text[2 * i]);
        const int low = nibble(text[2 * i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        key[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return key;
}

}  // namespace

Result<MasterKey> MasterKey::load(const std::string& path) {
    const File file(path, O_RDONLY);
    if (!file.is_open()) {
        return failed_with_errno(errno == ENOENT ? Code::not_found : Code::unavailable, "open",
                                 path);
    }
    struct stat status{};
    if (::fstat(file.descriptor(), &status) != 0) {
        return failed_with_errno(Code::unavailable, "look at", path);
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return fail(Code::denied, path +
                                      " can be read by others than its owner. To do: chmod 600 " +
                                      path + ", and think about who may have read it");
    }
    std::string text(file_bytes + 1, '\0');
    const ssize_t size = ::read(file.descriptor(), text.data(), text.size());
    if (size < 0) return failed_with_errno(Code::unavailable, "read", path);
    std::optional<Aes256Key> key =
        parse(std::string_view(text).substr(0, static_cast<std::size_t>(size)));
    ::OPENSSL_cleanse(text.data(), text.size());
    if (!key)
        return fail(Code::corrupt,
                    path + " does not hold a master key: restore it from its backup");
    MasterKey master(*key);
    ::OPENSSL_cleanse(key->data(), key->size());
    return master;
}

Result<MasterKey> MasterKey::create(const std::string& path, Random& random) {
    Aes256Key key;
    random.fill(key);
    MasterKey master(key);
    std::string text = to_hex({reinterpret_cast<const char*>(key.data()), key.size()}) + "\n";
    ::OPENSSL_cleanse(key.data(), key.size());

    // A whole file or none: link() refuses to replace one that is there.
    const std::string draft = path + ".new";
    ::unlink(draft.c_str());
    const File file(draft, O_WRONLY | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
    const bool written =
        file.is_open() &&
        ::write(file.descriptor(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(file.descriptor()) == 0;
    ::OPENSSL_cleanse(text.data(), text.size());
    if (!written) return failed_with_errno(Code::unavailable, "write", draft);
    if (::link(draft.c_str(), path.c_str()) != 0) {
        return failed_with_errno(errno == EEXIST ? Code::conflict : Code::unavailable, "create",
                                 path);
    }
    ::unlink(draft.c_str());
    BOS_CHECK(sync_folder_of(path));
    return master;
}

MasterKey::~MasterKey() { ::OPENSSL_cleanse(key_.data(), key_.size()); }

std::string MasterKey::wrap(std::string_view place, std::string_view secret, Random& random) const {
    GcmNonce nonce;
    random.fill(nonce);
    return std::string(reinterpret_cast<const char*>(nonce.data()), nonce.size()) +
           gcm_seal(key_, nonce, place, secret);
}

Result<std::string> MasterKey::unwrap(std::string_view place, std::string_view wrapped) const {
    GcmNonce nonce;
    if (wrapped.size() >= wrap_overhead_bytes) {
        std::memcpy(nonce.data(), wrapped.data(), nonce.size());
        if (auto secret = gcm_open(key_, nonce, place, wrapped.substr(nonce.size()))) {
            return *std::move(secret);
        }
    }
    return fail(Code::corrupt, "a secret does not open with the master key");
}

}  // namespace bos::eventstore
