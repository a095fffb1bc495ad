#include "eventstore/ordered_wals.h"

#include <string>
#include <string_view>
#include <vector>

namespace bos::eventstore {

namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

constexpr std::string_view wal_suffix = ".log";

class OrderedWals final : public rocksdb::FileSystemWrapper {
  public:
    explicit OrderedWals(const std::shared_ptr<rocksdb::FileSystem>& target)
        : FileSystemWrapper(target) {}

    [[nodiscard]] const char* Name() const override { return "OrderedWals"; }

    IOStatus NewWritableFile(const std::string& name, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSWritableFile>* file,
                             IODebugContext* debug) override {
        if (name.ends_with(wal_suffix)) {
            IOStatus synced = sync_wals(name.substr(0, name.rfind('/')), options, debug);
            if (!synced.ok()) return synced;
        }
        return FileSystemWrapper::NewWritableFile(name, options, file, debug);
    }

  private:
    IOStatus sync_wals(const std::string& folder, const FileOptions& options,
                       IODebugContext* debug) {
        std::vector<std::string> names;
        IOStatus status = GetChildren(folder, options.io_options, &names, debug);
        for (const std::string& name : names) {
            if (!status.ok()) return status;
            if (name.ends_with(wal_suffix)) status = sync(folder + "/" + name, options, debug);
        }
        std::unique_ptr<rocksdb::FSDirectory> directory;
        if (status.ok()) status = NewDirectory(folder, options.io_options, &directory, debug);
        if (!status.ok()) return status;
        return directory->FsyncWithDirOptions(options.io_options, debug, {});
    }

    /// Whoever writes it has it open, too: a sync is of the file, not of the one who opened it.
    IOStatus sync(const std::string& path, const FileOptions& options, IODebugContext* debug) {
        std::unique_ptr<rocksdb::FSRandomRWFile> file;
        IOStatus status = NewRandomRWFile(path, options, &file, debug);
        if (status.IsNotFound() || status.IsPathNotFound()) return IOStatus::OK();  // not needed
        if (status.ok()) status = file->Fsync(options.io_options, debug);
        if (status.ok()) status = file->Close(options.io_options, debug);
        return status;
    }
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> ordered_wals(
    const std::shared_ptr<rocksdb::FileSystem>& target) {
    return std::make_shared<OrderedWals>(target);
}

}  // namespace bos::eventstore
