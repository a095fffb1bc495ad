#include "eventstore/watched_reads.h"

#include <fmt/format.h>

#include <utility>

namespace bos::eventstore {

namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

/// Of a file that is about to become a part of a database.
class WatchedReads final : public rocksdb::FSRandomAccessFileOwnerWrapper {
  public:
    WatchedReads(std::unique_ptr<rocksdb::FSRandomAccessFile> file, std::string name, Fatal fatal)
        : FSRandomAccessFileOwnerWrapper(std::move(file)),
          name_(std::move(name)),
          fatal_(std::move(fatal)) {}

    IOStatus Read(std::uint64_t offset, std::size_t bytes, const IOOptions& options,
                  rocksdb::Slice* result, char* scratch, IODebugContext* debug) const override {
        const auto read = [&] {
            return FSRandomAccessFileOwnerWrapper::Read(offset, bytes, options, result, scratch,
                                                        debug);
        };
        const IOStatus status = read();
        if (status.ok()) return status;
        fatal_(
            fmt::format("{} cannot be read ({}). Nothing is lost. Check the disk, then "
                        "start again",
                        name_, status.ToString()));
        // Where `fatal` returns, in tests: RocksDB asserts that it never sees this error.
        return read();
    }

  private:
    const std::string name_;
    const Fatal fatal_;
};

class WatchedReadsFileSystem final : public rocksdb::FileSystemWrapper {
  public:
    WatchedReadsFileSystem(const std::shared_ptr<rocksdb::FileSystem>& target, std::string suffix,
                           Fatal fatal)
        : FileSystemWrapper(target), suffix_(std::move(suffix)), fatal_(std::move(fatal)) {}

    [[nodiscard]] const char* Name() const override { return "WatchedReadsFileSystem"; }

    IOStatus NewRandomAccessFile(const std::string& name, const FileOptions& options,
                                 std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                 IODebugContext* debug) override {
        IOStatus status = FileSystemWrapper::NewRandomAccessFile(name, options, file, debug);
        // Once ingested it is opened under the name of a table.
        if (status.ok() && name.ends_with(suffix_)) {
            *file = std::make_unique<WatchedReads>(std::move(*file), name, fatal_);
        }
        return status;
    }

  private:
    const std::string suffix_;
    const Fatal fatal_;
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> watch_reads(std::shared_ptr<rocksdb::FileSystem> target,
                                                 std::string suffix, Fatal fatal) {
    return std::make_shared<WatchedReadsFileSystem>(target, std::move(suffix), std::move(fatal));
}

}  // namespace bos::eventstore
