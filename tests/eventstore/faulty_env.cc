#include "tests/eventstore/faulty_env.h"

#include <rocksdb/file_system.h>

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace bos::eventstore::test {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

struct FaultyDisk::State {
    std::mutex mutex;
    Fault fault;
    std::optional<std::uint64_t> free_bytes;
    bool power = true;
    struct Sizes {
        std::uint64_t written = 0;
        std::uint64_t synced = 0;
    };
    std::map<std::string, Sizes> files;

    Outcome outcome(Operation operation, const std::string& path) {
        Fault current;
        {
            const std::lock_guard lock(mutex);
            current = fault;
        }
        return current ? current(operation, path) : Outcome::ok;
    }
    bool has_power() {
        const std::lock_guard lock(mutex);
        return power;
    }
    void created(const std::string& path) {
        const std::lock_guard lock(mutex);
        files[path] = {};
    }
    void reopened(const std::string& path, std::uint64_t size) {
        const std::lock_guard lock(mutex);
        files[path] = {size, size};
    }
    void appended(const std::string& path, std::size_t bytes) {
        const std::lock_guard lock(mutex);
        files[path].written += bytes;
    }
    void synced(const std::string& path) {
        const std::lock_guard lock(mutex);
        files[path].synced = files[path].written;
    }
    void renamed(const std::string& from, const std::string& to) {
        const std::lock_guard lock(mutex);
        if (auto file = files.extract(from)) {
            files.erase(to);
            file.key() = to;
            files.insert(std::move(file));
        }
    }
    void removed(const std::string& path) {
        const std::lock_guard lock(mutex);
        files.erase(path);
    }
};

namespace {

using SharedState = std::shared_ptr<FaultyDisk::State>;
using Operation = FaultyDisk::Operation;
using Outcome = FaultyDisk::Outcome;

IOStatus status_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::ok:
            return IOStatus::OK();
        case Outcome::no_space:
            return IOStatus::NoSpace("injected");
        case Outcome::io_error:
            return IOStatus::IOError("injected");
    }
    return IOStatus::OK();
}

class FaultyFile final : public rocksdb::FSWritableFileOwnerWrapper {
  public:
    FaultyFile(std::unique_ptr<rocksdb::FSWritableFile> file, std::string path, SharedState state)
        : FSWritableFileOwnerWrapper(std::move(file)),
          path_(std::move(path)),
          state_(std::move(state)) {}

    IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
        if (!state_->has_power()) return IOStatus::OK();
        const Outcome outcome = state_->outcome(Operation::append, path_);
        const Slice part(data.data(), outcome == Outcome::ok ? data.size() : data.size() / 2);
        IOStatus status = FSWritableFileOwnerWrapper::Append(part, options, debug);
        if (status.ok()) state_->appended(path_, part.size());
        return outcome == Outcome::ok ? status : status_of(outcome);
    }
    IOStatus Append(const Slice& data, const IOOptions& options,
                    const rocksdb::DataVerificationInfo&, IODebugContext* debug) override {
        return Append(data, options, debug);
    }
    IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
        return sync([&] { return FSWritableFileOwnerWrapper::Sync(options, debug); });
    }
    IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
        return sync([&] { return FSWritableFileOwnerWrapper::Fsync(options, debug); });
    }

  private:
    template <class Do>
    IOStatus sync(Do&& target_sync) {
        if (!state_->has_power()) return IOStatus::OK();
        const Outcome outcome = state_->outcome(Operation::sync, path_);
        if (outcome != Outcome::ok) return status_of(outcome);
        IOStatus status = target_sync();
        if (status.ok()) state_->synced(path_);
        return status;
    }

    const std::string path_;
    const SharedState state_;
};

/// Holds writes back until the sync, so that a power cut loses them.
class FaultyRandomFile final : public rocksdb::FSRandomRWFileOwnerWrapper {
  public:
    FaultyRandomFile(std::unique_ptr<rocksdb::FSRandomRWFile> file, std::string path,
                     SharedState state)
        : FSRandomRWFileOwnerWrapper(std::move(file)),
          path_(std::move(path)),
          state_(std::move(state)) {}

    IOStatus Write(std::uint64_t offset, const Slice& data, const IOOptions&,
                   IODebugContext*) override {
        const Outcome outcome = state_->outcome(Operation::append, path_);
        if (outcome != Outcome::ok) return status_of(outcome);
        waiting_.emplace_back(offset, data.ToString());
        return IOStatus::OK();
    }
    IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
        if (!state_->has_power()) return IOStatus::OK();
        const Outcome outcome = state_->outcome(Operation::sync, path_);
        if (outcome != Outcome::ok) return status_of(outcome);
        for (const auto& [offset, data] : waiting_) {
            IOStatus written = FSRandomRWFileOwnerWrapper::Write(offset, data, options, debug);
            if (!written.ok()) return written;
        }
        waiting_.clear();
        return FSRandomRWFileOwnerWrapper::Sync(options, debug);
    }
    IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
        return Sync(options, debug);
    }

  private:
    const std::string path_;
    const SharedState state_;
    std::vector<std::pair<std::uint64_t, std::string>> waiting_;
};

class FaultyFolder final : public rocksdb::FSDirectoryWrapper {
  public:
    FaultyFolder(std::unique_ptr<rocksdb::FSDirectory> folder, std::string path, SharedState state)
        : FSDirectoryWrapper(std::move(folder)), path_(std::move(path)), state_(std::move(state)) {}

    IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                                 const rocksdb::DirFsyncOptions& reason) override {
        const Outcome outcome = state_->outcome(Operation::folder_sync, path_);
        if (outcome != Outcome::ok) return status_of(outcome);
        return FSDirectoryWrapper::FsyncWithDirOptions(options, debug, reason);
    }

  private:
    const std::string path_;
    const SharedState state_;
};

class FaultyFileSystem final : public rocksdb::FileSystemWrapper {
  public:
    explicit FaultyFileSystem(SharedState state)
        : FileSystemWrapper(rocksdb::FileSystem::Default()), state_(std::move(state)) {}

    [[nodiscard]] const char* Name() const override { return "FaultyFileSystem"; }

    IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSWritableFile>* file,
                             IODebugContext* debug) override {
        IOStatus status = FileSystemWrapper::NewWritableFile(path, options, file, debug);
        if (!status.ok()) return status;
        state_->created(path);
        *file = std::make_unique<FaultyFile>(std::move(*file), path, state_);
        return status;
    }
    IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                                std::unique_ptr<rocksdb::FSWritableFile>* file,
                                IODebugContext* debug) override {
        IOStatus status = FileSystemWrapper::ReopenWritableFile(path, options, file, debug);
        if (!status.ok()) return status;
        state_->reopened(path, std::filesystem::file_size(path));
        *file = std::make_unique<FaultyFile>(std::move(*file), path, state_);
        return status;
    }
    IOStatus NewRandomRWFile(const std::string& path, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSRandomRWFile>* file,
                             IODebugContext* debug) override {
        IOStatus status = FileSystemWrapper::NewRandomRWFile(path, options, file, debug);
        if (status.ok()) *file = std::make_unique<FaultyRandomFile>(std::move(*file), path, state_);
        return status;
    }
    IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                          std::unique_ptr<rocksdb::FSDirectory>* folder,
                          IODebugContext* debug) override {
        IOStatus status = FileSystemWrapper::NewDirectory(path, options, folder, debug);
        if (status.ok()) *folder = std::make_unique<FaultyFolder>(std::move(*folder), path, state_);
        return status;
    }
    IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                        IODebugContext* debug) override {
        if (!state_->has_power()) return IOStatus::OK();
        IOStatus status = FileSystemWrapper::RenameFile(from, to, options, debug);
        if (status.ok()) state_->renamed(from, to);
        return status;
    }
    IOStatus DeleteFile(const std::string& path, const IOOptions& options,
                        IODebugContext* debug) override {
        if (!state_->has_power()) return IOStatus::OK();
        IOStatus status = FileSystemWrapper::DeleteFile(path, options, debug);
        if (status.ok()) state_->removed(path);
        return status;
    }
    IOStatus GetFreeSpace(const std::string& path, const IOOptions& options, std::uint64_t* bytes,
                          IODebugContext* debug) override {
        {
            const std::lock_guard lock(state_->mutex);
            if (state_->free_bytes) {
                *bytes = *state_->free_bytes;
                return IOStatus::OK();
            }
        }
        return FileSystemWrapper::GetFreeSpace(path, options, bytes, debug);
    }

  private:
    const SharedState state_;
};

}  // namespace

FaultyDisk::FaultyDisk()
    : state_(std::make_shared<State>()),
      env_(rocksdb::NewCompositeEnv(std::make_shared<FaultyFileSystem>(state_))) {}

FaultyDisk::~FaultyDisk() = default;

void FaultyDisk::on_operation(Fault fault) {
    const std::lock_guard lock(state_->mutex);
    state_->fault = std::move(fault);
}

void FaultyDisk::set_free_bytes(std::uint64_t bytes) {
    const std::lock_guard lock(state_->mutex);
    state_->free_bytes = bytes;
}

std::uint64_t FaultyDisk::unsynced_wal_bytes(const std::string& folder) const {
    const std::lock_guard lock(state_->mutex);
    std::uint64_t bytes = 0;
    for (const auto& [path, sizes] : state_->files) {
        if (path.starts_with(folder + "/") && path.ends_with(".log")) {
            bytes += sizes.written - sizes.synced;
        }
    }
    return bytes;
}

void FaultyDisk::cut_power() {
    const std::lock_guard lock(state_->mutex);
    state_->power = false;
}

void FaultyDisk::restore_power() {
    const std::lock_guard lock(state_->mutex);
    for (const auto& [path, sizes] : state_->files) {
        std::error_code gone;
        if (std::filesystem::exists(path, gone)) std::filesystem::resize_file(path, sizes.synced);
    }
    state_->files.clear();
    state_->power = true;
}

}  // namespace bos::eventstore::test
