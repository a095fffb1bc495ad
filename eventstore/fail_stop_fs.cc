#include "eventstore/fail_stop_fs.h"

#include "eventstore/spliced_env.h"

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

/// Of a file that is about to become a part of a database.
class WatchedReads final : public rocksdb::FSRandomAccessFileOwnerWrapper {
  public:
    WatchedReads(std::unique_ptr<rocksdb::FSRandomAccessFile> file, std::string name, Fatal fatal)
        : FSRandomAccessFileOwnerWrapper(std::move(file)),
          name_(std::move(name)),
          fatal_(std::move(fatal)) {}

    IOStatus Read(std::uint64_t offset, std::size_t bytes, const IOOptions& options,
                  rocksdb::Slice* result, char* scratch, IODebugContext* debug) const override {
        IOStatus status =
            FSRandomAccessFileOwnerWrapper::Read(offset, bytes, options, result, scratch, debug);
        if (!status.ok()) {
            fatal_(
                fmt::format("{} cannot be read ({}). Nothing is lost. Check the disk, then "
                            "start again",
                            name_, status.ToString()));
        }
        return status;
    }

  private:
    const std::string name_;
    const Fatal fatal_;
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
        : FileSystemWrapper(target),
          fatal_(std::move(fatal)),
          watch_(std::make_shared<SyncWatch>(fatal_)) {}

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
    IOStatus NewRandomAccessFile(const std::string& name, const FileOptions& options,
                                 std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                 IODebugContext* debug) override {
        IOStatus status = FileSystemWrapper::NewRandomAccessFile(name, options, file, debug);
        // Once ingested it is opened under the name of a table.
        if (status.ok() && name.ends_with(bulk_suffix)) {
            *file = std::make_unique<WatchedReads>(std::move(*file), name, fatal_);
        }
        return status;
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

    const Fatal fatal_;
    const SharedWatch watch_;
};

}  // namespace

std::unique_ptr<rocksdb::Env> fail_stop_env(rocksdb::Env& env, Fatal fatal) {
    return spliced_env(env,
                       std::make_shared<FailStopFileSystem>(env.GetFileSystem(), std::move(fatal)));
}

}  // namespace bos::eventstore
