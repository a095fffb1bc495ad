#include "tests/sim/disk.h"

#include <algorithm>
#include <array>
#include <utility>

namespace bos::sim {

namespace {

constexpr std::uint64_t sector_bytes = 512;

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}
std::string last_part_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }
/// RocksDB joins paths carelessly.
std::string plain(std::string path) {
    for (std::size_t at; (at = path.find("//")) != std::string::npos;) path.erase(at, 1);
    if (path.size() > 1 && path.ends_with('/')) path.pop_back();
    return path;
}

}  // namespace

class Disk::File {
  public:
    explicit File(std::string first_name) : name(std::move(first_name)) {}

    const std::string name;  ///< the first one, for messages
    std::string data;

    void append(std::string_view bytes) { data += bytes; }
    void write(std::uint64_t offset, std::string_view bytes) {
        if (data.size() < offset + bytes.size()) data.resize(offset + bytes.size());
        overwritten_.push_back({offset, data.substr(offset, bytes.size())});
        data.replace(offset, bytes.size(), bytes);
    }
    void truncate(std::uint64_t size) {
        data.resize(size);
        synced_ = std::min<std::uint64_t>(synced_, size);
    }
    void sync() {
        synced_ = data.size();
        overwritten_.clear();
    }

    [[nodiscard]] FilePtr after_power_loss(Draws& draws) const {
        auto file = std::make_shared<File>(name);
        file->data = data;
        undo_some_writes(file->data, draws);
        file->data.resize(std::max(synced_, length_kept(draws)));
        file->sync();
        return file;
    }
    [[nodiscard]] FilePtr copy() const {
        auto file = std::make_shared<File>(name);
        file->data = data;
        file->synced_ = synced_;
        file->overwritten_ = overwritten_;
        return file;
    }

  private:
    struct Overwritten {
        std::uint64_t offset;
        std::string before;
    };

    void undo_some_writes(std::string& bytes, Draws& draws) const {
        for (auto write = overwritten_.rbegin(); write != overwritten_.rend(); ++write) {
            for (std::uint64_t at = 0; at < write->before.size();) {
                const std::uint64_t in_sector = (write->offset + at) % sector_bytes;
                const std::uint64_t length =
                    std::min(sector_bytes - in_sector, write->before.size() - at);
                if (draws.one_in(2)) {
                    bytes.replace(write->offset + at, length, write->before, at, length);
                }
                at += length;
            }
        }
    }

    [[nodiscard]] std::uint64_t length_kept(Draws& draws) const {
        const std::uint64_t lost = data.size() - synced_;
        if (lost == 0 || draws.one_in(3)) return data.size();
        if (draws.one_in(2)) return synced_;
        const std::uint64_t first = synced_ / sector_bytes;
        const std::uint64_t sectors = data.size() / sector_bytes - first;
        return (first + draws.below(sectors + 1)) * sector_bytes;
    }

    std::uint64_t synced_ = 0;  ///< bytes from the start
    std::vector<Overwritten> overwritten_;
};

Disk::Disk() { folders_["/"]; }

Disk::Verdict Disk::ask(Operation operation, const std::string& path, std::size_t bytes) const {
    return watch_ ? watch_(operation, path, bytes) : Verdict::ok;
}

Disk::Folder* Disk::folder_of(const std::string& path) {
    const auto found = folders_.find(parent_of(path));
    return found == folders_.end() ? nullptr : &found->second;
}
const Disk::Folder* Disk::folder_of(const std::string& path) const {
    const auto found = folders_.find(parent_of(path));
    return found == folders_.end() ? nullptr : &found->second;
}

void Disk::apply(Names& names, const Change& change) {
    if (!change.remove.empty()) names.erase(change.remove);
    if (!change.add.empty()) names[change.add] = change.file;
}

void Disk::change(const std::string& path, Change change) {
    Folder& folder = *folder_of(path);
    apply(folder.now, change);
    folder.unsynced.push_back(std::move(change));
}

// --- names -------------------------------------------------------------------------------------

Disk::FilePtr Disk::create(const std::string& given, Verdict& verdict) {
    const std::string path = plain(given);
    verdict = ask(Operation::create, path);
    if (verdict != Verdict::ok) return nullptr;
    const std::lock_guard lock(mutex_);
    if (!folder_of(path)) {
        verdict = Verdict::io_error;
        return nullptr;
    }
    auto file = std::make_shared<File>(path);
    change(path, {.remove = {}, .add = last_part_of(path), .file = file});
    return file;
}

Disk::FilePtr Disk::find(const std::string& given) const {
    const std::string path = plain(given);
    const std::lock_guard lock(mutex_);
    const Folder* folder = folder_of(path);
    if (!folder) return nullptr;
    const auto found = folder->now.find(last_part_of(path));
    return found == folder->now.end() ? nullptr : found->second;
}

bool Disk::is_folder(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    return folders_.contains(plain(path));
}

std::vector<std::string> Disk::children(const std::string& folder) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    const auto found = folders_.find(plain(folder));
    if (found == folders_.end()) return names;
    for (const auto& [name, file] : found->second.now) names.push_back(name);
    return names;
}

Disk::Verdict Disk::make_folder(const std::string& given) {
    const std::string path = plain(given);
    if (const Verdict verdict = ask(Operation::make_folder, path); verdict != Verdict::ok)
        return verdict;
    const std::lock_guard lock(mutex_);
    if (folders_.contains(path)) return Verdict::ok;
    if (!folder_of(path)) return Verdict::io_error;
    change(path, {.remove = {}, .add = last_part_of(path), .file = nullptr});
    folders_[path];
    return Verdict::ok;
}

Disk::Verdict Disk::remove(const std::string& given) {
    const std::string path = plain(given);
    if (const Verdict verdict = ask(Operation::remove, path); verdict != Verdict::ok)
        return verdict;
    const std::lock_guard lock(mutex_);
    change(path, {.remove = last_part_of(path), .add = {}, .file = nullptr});
    return Verdict::ok;
}

Disk::Verdict Disk::rename(const std::string& from_given, const std::string& to_given) {
    const std::string from = plain(from_given);
    const std::string to = plain(to_given);
    if (const Verdict verdict = ask(Operation::rename, to); verdict != Verdict::ok) return verdict;
    const FilePtr file = find(from);
    const std::lock_guard lock(mutex_);
    if (!file || parent_of(from) != parent_of(to)) return Verdict::io_error;
    change(from, {.remove = last_part_of(from), .add = last_part_of(to), .file = file});
    return Verdict::ok;
}

Disk::Verdict Disk::link(const std::string& from, const std::string& to_given) {
    const std::string to = plain(to_given);
    if (const Verdict verdict = ask(Operation::link, to); verdict != Verdict::ok) return verdict;
    const FilePtr file = find(from);
    const std::lock_guard lock(mutex_);
    if (!file || !folder_of(to)) return Verdict::io_error;
    change(to, {.remove = {}, .add = last_part_of(to), .file = file});
    return Verdict::ok;
}

Disk::Verdict Disk::sync_folder(const std::string& given) {
    const std::string path = plain(given);
    if (const Verdict verdict = ask(Operation::sync_folder, path); verdict != Verdict::ok)
        return verdict;
    const std::lock_guard lock(mutex_);
    Folder& folder = folders_[path];
    folder.durable = folder.now;
    folder.unsynced.clear();
    return Verdict::ok;
}

bool Disk::lock(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return locks_.insert(plain(path)).second;
}

void Disk::unlock(const std::string& path) {
    const std::lock_guard lock(mutex_);
    locks_.erase(plain(path));
}

// --- content -----------------------------------------------------------------------------------

Disk::Verdict Disk::append(File& file, std::string_view bytes) {
    const Verdict verdict = ask(Operation::append, file.name, bytes.size());
    if (verdict == Verdict::io_error) return verdict;
    const std::lock_guard lock(mutex_);
    file.append(verdict == Verdict::ok ? bytes : bytes.substr(0, bytes.size() / 2));
    return verdict;
}

Disk::Verdict Disk::write(File& file, std::uint64_t offset, std::string_view bytes) {
    const Verdict verdict = ask(Operation::write, file.name, bytes.size());
    if (verdict != Verdict::ok && verdict != Verdict::torn) return verdict;
    const std::lock_guard lock(mutex_);
    file.write(offset, verdict == Verdict::ok ? bytes : bytes.substr(0, bytes.size() / 2));
    return verdict;
}

Disk::Verdict Disk::truncate(File& file, std::uint64_t size) {
    const Verdict verdict = ask(Operation::truncate, file.name, size);
    if (verdict != Verdict::ok) return verdict;
    const std::lock_guard lock(mutex_);
    file.truncate(size);
    return verdict;
}

Disk::Verdict Disk::sync(File& file) {
    const Verdict verdict = ask(Operation::sync, file.name);
    if (verdict != Verdict::ok) return verdict;
    const std::lock_guard lock(mutex_);
    file.sync();
    return verdict;
}

std::string Disk::read(const File& file, std::uint64_t offset, std::size_t bytes) const {
    const std::lock_guard lock(mutex_);
    return offset >= file.data.size() ? std::string() : file.data.substr(offset, bytes);
}

std::uint64_t Disk::size(const File& file) const {
    const std::lock_guard lock(mutex_);
    return file.data.size();
}

// --- what is left ------------------------------------------------------------------------------

std::unique_ptr<Disk> Disk::after_power_loss(Draws& draws) const {
    const std::lock_guard lock(mutex_);
    auto left = std::make_unique<Disk>();
    std::map<const File*, FilePtr> files;  // one file may have two names
    for (const auto& [path, folder] : folders_) {
        // In the order of their paths, so a folder's own name is decided before what is in it.
        if (!left->folders_.contains(path)) continue;
        Names names = folder.durable;
        for (const Change& unsynced : folder.unsynced) {
            if (draws.one_in(2)) apply(names, unsynced);
        }
        for (auto& [name, file] : names) {
            if (!file) {
                left->folders_[(path == "/" ? "" : path) + "/" + name];
                continue;
            }
            FilePtr& kept = files[file.get()];
            if (!kept) kept = file->after_power_loss(draws);
            file = kept;
        }
        left->folders_[path] = {.now = names, .durable = names, .unsynced = {}};
    }
    return left;
}

std::unique_ptr<Disk> Disk::after_kill() const {
    const std::lock_guard lock(mutex_);
    auto left = std::make_unique<Disk>();
    std::map<const File*, FilePtr> files;
    const auto copy = [&](FilePtr& file) {
        if (!file) return;
        FilePtr& kept = files[file.get()];
        if (!kept) kept = file->copy();
        file = kept;
    };
    left->folders_ = folders_;
    for (auto& [path, folder] : left->folders_) {
        for (auto& [name, file] : folder.now) copy(file);
        for (auto& [name, file] : folder.durable) copy(file);
        for (Change& unsynced : folder.unsynced) copy(unsynced.file);
    }
    return left;
}

std::string_view name_of(Disk::Operation operation) {
    static constexpr std::array<std::string_view, 16> names = {
        "create",      "append",      "write", "truncate", "sync", "rename", "link", "remove",
        "make-folder", "sync-folder", "open",  "read",     "list", "look",   "lock", "close"};
    return names.at(static_cast<std::size_t>(operation));
}

}  // namespace bos::sim
