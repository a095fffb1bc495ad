#include "eventstore/fail_stop_fs.h"

#include "eventstore/ordered_wals.h"
#include "eventstore/spliced_env.h"
#include "eventstore/watched_reads.h"

#include <fmt/format.h>
#include <rocksdb/file_system.h>

#include <utility>

namespace bos::eventstore {

namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

/// Thread-safe.
class SyncWatch {
  public:
    explicit SyncWatch(Fatal fatal) : fatal_(std::move(fatal)) {}

    IOStatus check(IOStatus status, const std::string& name) const {
        // Not supported is an answer about the file system, not about the data.
        if (!status.ok() && !status.IsNotSupported()) {
            fatal_(
                fmt::format("sync of {} failed ({}): what was written may be lost. Check the disk, "
                            "then start again",
                            name, status.ToString()));
        }
        return status;
    }

  private:
    const Fatal fatal_;
};

using SharedWatch = std::shared_ptr<const SyncWatch>;

class WatchedFile final : public rocksdb::FSWritableFileOwnerWrapper {
  public:
    WatchedFile(std::unique_ptr<rocksdb::FSWritableFile> file, std::string name, SharedWatch watch)
        : FSWritableFileOwnerWrapper(std::move(file)),
          name_(std::move(name)),
          watch_(std::move(watch)) {}

    IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
        return watch_->check(FSWritableFileOwnerWrapper::Sync(options, debug), name_);
    }
    IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
        return watch_->check(FSWritableFileOwnerWrapper::Fsync(options, debug), name_);
    }
    IOStatus RangeSync(std::uint64_t offset, std::uint64_t bytes, const IOOptions& options,
                       IODebugContext* debug) override {
        return watch_->check(FSWritableFileOwnerWrapper::RangeSync(offset, bytes, options, debug),
                             name_);
    }

  private:
    const std::string name_;
    const SharedWatch watch_;
};

class WatchedRandomFile final : public rocksdb::FSRandomRWFileOwnerWrapper {
  public:
    WatchedRandomFile(std::unique_ptr<rocksdb::FSRandomRWFile> file, std::string name,
                      SharedWatch watch)
        : FSRandomRWFileOwnerWrapper(std::move(file)),
          name_(std::move(name)),
          watch_(std::move(watch)) {}

    IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
        return watch_->check(FSRandomRWFileOwnerWrapper::Sync(options, debug), name_);
    }
    IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
        return watch_->check(FSRandomRWFileOwnerWrapper::Fsync(options, debug), name_);
    }

  private:
    const std::string name_;
    const SharedWatch watch_;
};

class WatchedDirectory final : public rocksdb::FSDirectoryWrapper {
  public:
    WatchedDirectory(std::unique_ptr<rocksdb::FSDirectory> directory, std::string name,
                     SharedWatch watch)
        : FSDirectoryWrapper(std::move(directory)),
          name_(std::move(name)),
          watch_(std::move(watch)) {}

    IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
        return watch_->check(FSDirectoryWrapper::Fsync(options, debug), name_);
    }
    IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                                 const rocksdb::DirFsyncOptions& reason) override {
        return watch_->check(FSDirectoryWrapper::FsyncWithDirOptions(options, debug, reason),
                             name_);
    }

  private:
    const std::string name_;
    const SharedWatch watch_;
};

class FailStopFileSystem final : public rocksdb::FileSystemWrapper {
  public:
    FailStopFileSystem(const std::shared_ptr<rocksdb::FileSystem>& target, Fatal fatal)
        : FileSystemWrapper(target), watch_(std::make_shared<SyncWatch>(std::move(fatal))) {}

    [[nodiscard]] const char* Name() const override { return "FailStopFileSystem"; }

    IOStatus NewWritableFile(const std::string& name, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSWritableFile>* file,
                             IODebugContext* debug) override {
        return watch_file(FileSystemWrapper::NewWritableFile(name, options, file, debug), name,
                          file);
    }
    IOStatus ReopenWritableFile(const std::string& name, const FileOptions& options,
                                std::unique_ptr<rocksdb::FSWritableFile>* file,
                                IODebugContext* debug) override {
        return watch_file(FileSystemWrapper::ReopenWritableFile(name, options, file, debug), name,
                          file);
    }
    IOStatus ReuseWritableFile(const std::string& name, const std::string& old_name,
                               const FileOptions& options,
                               std::unique_ptr<rocksdb::FSWritableFile>* file,
                               IODebugContext* debug) override {
        return watch_file(
            FileSystemWrapper::ReuseWritableFile(name, old_name, options, file, debug), name, file);
    }
    IOStatus NewRandomRWFile(const std::string& name, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSRandomRWFile>* file,
                             IODebugContext* debug) override {
        IOStatus status = FileSystemWrapper::NewRandomRWFile(name, options, file, debug);
        if (status.ok()) {
            *file = std::make_unique<WatchedRandomFile>(std::move(*file), name, watch_);
        }
        return status;
    }
    IOStatus NewDirectory(const std::string& name, const IOOptions& options,
                          std::unique_ptr<rocksdb::FSDirectory>* directory,
                          IODebugContext* debug) override {
        IOStatus status = FileSystemWrapper::NewDirectory(name, options, directory, debug);
        if (status.ok()) {
            *directory = std::make_unique<WatchedDirectory>(std::move(*directory), name, watch_);
        }
        return status;
    }
    IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                        IODebugContext* debug) override {
        if (to.ends_with("/CURRENT")) {
            IOStatus synced = sync_folder(to.substr(0, to.rfind('/')), options, debug);
            if (!synced.ok()) return synced;
        }
        return FileSystemWrapper::RenameFile(from, to, options, debug);
    }

  private:
    IOStatus sync_folder(const std::string& path, const IOOptions& options, IODebugContext* debug) {
        std::unique_ptr<rocksdb::FSDirectory> folder;
        IOStatus status = NewDirectory(path, options, &folder, debug);
        return status.ok() ? folder->FsyncWithDirOptions(options, debug, {}) : status;
    }
    IOStatus watch_file(IOStatus status, const std::string& name,
                        std::unique_ptr<rocksdb::FSWritableFile>* file) const {
        if (status.ok()) *file = std::make_unique<WatchedFile>(std::move(*file), name, watch_);
        return status;
    }

    const SharedWatch watch_;
};

}  // namespace

std::unique_ptr<rocksdb::Env> fail_stop_env(rocksdb::Env& env, Fatal fatal) {
    auto reads = watch_reads(env.GetFileSystem(), std::string(bulk_suffix), fatal);
    return spliced_env(env, ordered_wals(std::make_shared<FailStopFileSystem>(std::move(reads),
                                                                              std::move(fatal))));
}

}  // namespace bos::eventstore
