#include "tests/sim/disk_env.h"

#include <rocksdb/file_system.h>
#include <rocksdb/system_clock.h>

#include <algorithm>
#include <cstring>
#include <list>
#include <string>
#include <utility>
#include <vector>

namespace rocksdb {

/// As RocksDB has it in util/random.h, which is not installed.
class Random {
  public:
    static Random* GetTLSInstance();

  private:
    std::uint32_t seed_;
    friend void reseed(Random& random, std::uint32_t seed) { random.seed_ = seed; }
};

}  // namespace rocksdb

namespace bos::sim {

namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

IOStatus status_of(Disk::Verdict verdict) {
    switch (verdict) {
        case Disk::Verdict::ok:
            return IOStatus::OK();
        case Disk::Verdict::no_space:
            return IOStatus::NoSpace("simulated");
        case Disk::Verdict::io_error:
        case Disk::Verdict::torn:
            return IOStatus::IOError("simulated");
    }
    return IOStatus::IOError("no such verdict");
}

IOStatus missing(const std::string& path) {
    return IOStatus::PathNotFound(path, "No such file or directory");
}

/// A file as it was opened: names change while it is open.
struct Opened {
    Disk::FilePtr file;
    std::string path;

    [[nodiscard]] IOStatus ask_to(const Disk& disk, Disk::Operation operation) const {
        return status_of(disk.ask_to(operation, path));
    }
    [[nodiscard]] IOStatus read(const Disk& disk, std::uint64_t offset, std::size_t length,
                                Slice* result, char* scratch) const {
        *result = Slice(scratch, 0);
        if (IOStatus asked = ask_to(disk, Disk::Operation::read); !asked.ok()) return asked;
        const std::string bytes = disk.read(*file, offset, length);
        std::memcpy(scratch, bytes.data(), bytes.size());
        *result = Slice(scratch, bytes.size());
        return IOStatus::OK();
    }
};

class SequentialFile final : public rocksdb::FSSequentialFile {
  public:
    SequentialFile(const Disk& disk, Opened opened) : disk_(disk), opened_(std::move(opened)) {}
    IOStatus Read(std::size_t bytes, const IOOptions&, Slice* result, char* scratch,
                  IODebugContext*) override {
        IOStatus status = opened_.read(disk_, offset_, bytes, result, scratch);
        offset_ += result->size();
        return status;
    }
    IOStatus Skip(std::uint64_t bytes) override {
        offset_ += bytes;
        return IOStatus::OK();
    }

  private:
    const Disk& disk_;
    const Opened opened_;
    std::uint64_t offset_ = 0;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFile {
  public:
    RandomAccessFile(const Disk& disk, Opened opened) : disk_(disk), opened_(std::move(opened)) {}
    IOStatus Read(std::uint64_t offset, std::size_t bytes, const IOOptions&, Slice* result,
                  char* scratch, IODebugContext*) const override {
        return opened_.read(disk_, offset, bytes, result, scratch);
    }

  private:
    const Disk& disk_;
    const Opened opened_;
};

class WritableFile final : public rocksdb::FSWritableFile {
  public:
    WritableFile(Disk& disk, Opened opened) : disk_(disk), opened_(std::move(opened)) {}
    IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
        return status_of(disk_.append(*opened_.file, data.ToStringView()));
    }
    IOStatus Append(const Slice& data, const IOOptions& options,
                    const rocksdb::DataVerificationInfo&, IODebugContext* debug) override {
        return Append(data, options, debug);
    }
    IOStatus Truncate(std::uint64_t size, const IOOptions&, IODebugContext*) override {
        return disk_.size(*opened_.file) == size ? IOStatus::OK()
                                                 : status_of(disk_.truncate(*opened_.file, size));
    }
    IOStatus Close(const IOOptions&, IODebugContext*) override {
        return opened_.ask_to(disk_, Disk::Operation::close);
    }
    IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
    IOStatus Sync(const IOOptions&, IODebugContext*) override {
        return status_of(disk_.sync(*opened_.file));
    }
    [[nodiscard]] bool IsSyncThreadSafe() const override { return true; }
    // A hint to the kernel, no promise.
    IOStatus RangeSync(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override {
        return IOStatus::OK();
    }
    std::uint64_t GetFileSize(const IOOptions&, IODebugContext*) override {
        return disk_.size(*opened_.file);
    }

  private:
    Disk& disk_;
    const Opened opened_;
};

class RandomRWFile final : public rocksdb::FSRandomRWFile {
  public:
    RandomRWFile(Disk& disk, Opened opened) : disk_(disk), opened_(std::move(opened)) {}
    IOStatus Write(std::uint64_t offset, const Slice& data, const IOOptions&,
                   IODebugContext*) override {
        return status_of(disk_.write(*opened_.file, offset, data.ToStringView()));
    }
    IOStatus Read(std::uint64_t offset, std::size_t bytes, const IOOptions&, Slice* result,
                  char* scratch, IODebugContext*) const override {
        return opened_.read(disk_, offset, bytes, result, scratch);
    }
    IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
    IOStatus Sync(const IOOptions&, IODebugContext*) override {
        return status_of(disk_.sync(*opened_.file));
    }
    IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

  private:
    Disk& disk_;
    const Opened opened_;
};

class Folder final : public rocksdb::FSDirectory {
  public:
    Folder(Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
    IOStatus Fsync(const IOOptions&, IODebugContext*) override {
        return status_of(disk_.sync_folder(path_));
    }

  private:
    Disk& disk_;
    const std::string path_;
};

class Lock final : public rocksdb::FileLock {
  public:
    explicit Lock(std::string locked) : path(std::move(locked)) {}
    const std::string path;
};

class Silence final : public rocksdb::Logger {
  public:
    using Logger::Logv;
    void Logv(const char*, va_list) override {}
    std::size_t GetLogFileSize() const override { return 0; }
};

class DiskFiles final : public rocksdb::FileSystem {
  public:
    DiskFiles(Disk& disk, Clock& clock) : disk_(disk), clock_(clock) {}

    [[nodiscard]] const char* Name() const override { return "SimulatedDisk"; }

    IOStatus NewSequentialFile(const std::string& path, const FileOptions&,
                               std::unique_ptr<rocksdb::FSSequentialFile>* file,
                               IODebugContext*) override {
        return open<SequentialFile>(path, file);
    }
    IOStatus NewRandomAccessFile(const std::string& path, const FileOptions&,
                                 std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                 IODebugContext*) override {
        return open<RandomAccessFile>(path, file);
    }
    IOStatus NewWritableFile(const std::string& path, const FileOptions&,
                             std::unique_ptr<rocksdb::FSWritableFile>* file,
                             IODebugContext*) override {
        Disk::Verdict verdict{};
        Disk::FilePtr created = disk_.create(path, verdict);
        if (!created) return status_of(verdict);
        *file = std::make_unique<WritableFile>(disk_, Opened{std::move(created), path});
        return IOStatus::OK();
    }
    IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                                std::unique_ptr<rocksdb::FSWritableFile>* file,
                                IODebugContext* debug) override {
        if (!disk_.find(path)) return NewWritableFile(path, options, file, debug);
        return open<WritableFile>(path, file);
    }
    IOStatus NewRandomRWFile(const std::string& path, const FileOptions&,
                             std::unique_ptr<rocksdb::FSRandomRWFile>* file,
                             IODebugContext*) override {
        return open<RandomRWFile>(path, file);
    }
    IOStatus NewDirectory(const std::string& path, const IOOptions&,
                          std::unique_ptr<rocksdb::FSDirectory>* folder, IODebugContext*) override {
        if (IOStatus asked = ask_to(Disk::Operation::open, path); !asked.ok()) return asked;
        if (!disk_.is_folder(path)) return missing(path);
        *folder = std::make_unique<Folder>(disk_, path);
        return IOStatus::OK();
    }
    IOStatus FileExists(const std::string& path, const IOOptions&, IODebugContext*) override {
        if (IOStatus asked = ask_to(Disk::Operation::look, path); !asked.ok()) return asked;
        const bool exists = disk_.find(path) != nullptr || disk_.is_folder(path);
        return exists ? IOStatus::OK() : IOStatus::NotFound();
    }
    IOStatus GetChildren(const std::string& folder, const IOOptions&,
                         std::vector<std::string>* names, IODebugContext*) override {
        if (IOStatus asked = ask_to(Disk::Operation::list, folder); !asked.ok()) return asked;
        if (!disk_.is_folder(folder)) return missing(folder);
        *names = disk_.children(folder);
        return IOStatus::OK();
    }
    IOStatus DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) override {
        return disk_.find(path) ? status_of(disk_.remove(path)) : missing(path);
    }
    IOStatus CreateDir(const std::string& path, const IOOptions&, IODebugContext*) override {
        if (disk_.is_folder(path)) return IOStatus::IOError(path, "exists");
        return status_of(disk_.make_folder(path));
    }
    IOStatus CreateDirIfMissing(const std::string& path, const IOOptions&,
                                IODebugContext*) override {
        return disk_.is_folder(path) ? IOStatus::OK() : status_of(disk_.make_folder(path));
    }
    IOStatus DeleteDir(const std::string&, const IOOptions&, IODebugContext*) override {
        return IOStatus::NotSupported("DeleteDir");
    }
    IOStatus GetFileSize(const std::string& path, const IOOptions&, std::uint64_t* size,
                         IODebugContext*) override {
        if (IOStatus asked = ask_to(Disk::Operation::look, path); !asked.ok()) return asked;
        const Disk::FilePtr file = disk_.find(path);
        if (!file) return missing(path);
        *size = disk_.size(*file);
        return IOStatus::OK();
    }
    IOStatus GetFileModificationTime(const std::string& path, const IOOptions&,
                                     std::uint64_t* seconds, IODebugContext*) override {
        if (!disk_.find(path)) return missing(path);
        *seconds = static_cast<std::uint64_t>(micros(clock_.now()) / 1'000'000);
        return IOStatus::OK();
    }
    IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&,
                        IODebugContext*) override {
        return disk_.find(from) ? status_of(disk_.rename(from, to)) : missing(from);
    }
    IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions&,
                      IODebugContext*) override {
        return disk_.find(from) ? status_of(disk_.link(from, to)) : missing(from);
    }
    IOStatus LockFile(const std::string& path, const IOOptions& options, rocksdb::FileLock** lock,
                      IODebugContext* debug) override {
        if (!disk_.find(path)) {
            std::unique_ptr<rocksdb::FSWritableFile> file;
            IOStatus made = NewWritableFile(path, {}, &file, debug);
            if (!made.ok()) return made;
        }
        static_cast<void>(options);
        if (IOStatus asked = ask_to(Disk::Operation::lock, path); !asked.ok()) return asked;
        if (!disk_.lock(path)) return IOStatus::IOError(path, "is locked");
        *lock = new Lock(path);
        return IOStatus::OK();
    }
    IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) override {
        const std::unique_ptr<Lock> held(static_cast<Lock*>(lock));
        disk_.unlock(held->path);
        return IOStatus::OK();
    }
    IOStatus GetTestDirectory(const IOOptions&, std::string* path, IODebugContext*) override {
        *path = "/test";
        return IOStatus::OK();
    }
    IOStatus NewLogger(const std::string&, const IOOptions&,
                       std::shared_ptr<rocksdb::Logger>* logger, IODebugContext*) override {
        *logger = std::make_shared<Silence>();
        return IOStatus::OK();
    }
    IOStatus GetAbsolutePath(const std::string& path, const IOOptions&, std::string* absolute,
                             IODebugContext*) override {
        *absolute = path;
        return IOStatus::OK();
    }
    IOStatus GetFreeSpace(const std::string& path, const IOOptions&, std::uint64_t* bytes,
                          IODebugContext*) override {
        if (IOStatus asked = ask_to(Disk::Operation::look, path); !asked.ok()) return asked;
        *bytes = std::uint64_t{1} << 40;
        return IOStatus::OK();
    }
    IOStatus IsDirectory(const std::string& path, const IOOptions&, bool* is,
                         IODebugContext*) override {
        *is = disk_.is_folder(path);
        return IOStatus::OK();
    }

  private:
    template <class File, class Interface>
    IOStatus open(const std::string& path, std::unique_ptr<Interface>* file) {
        if (IOStatus asked = ask_to(Disk::Operation::open, path); !asked.ok()) return asked;
        Disk::FilePtr found = disk_.find(path);
        if (!found) return missing(path);
        *file = std::make_unique<File>(disk_, Opened{std::move(found), path});
        return IOStatus::OK();
    }
    [[nodiscard]] IOStatus ask_to(Disk::Operation operation, const std::string& path) const {
        return status_of(disk_.ask_to(operation, path));
    }

    Disk& disk_;
    Clock& clock_;
};

class DiskClock final : public rocksdb::SystemClock {
  public:
    DiskClock(Scheduler& scheduler, VirtualClock& clock) : scheduler_(scheduler), clock_(clock) {}
    [[nodiscard]] const char* Name() const override { return "VirtualClock"; }
    std::uint64_t NowMicros() override { return static_cast<std::uint64_t>(micros(clock_.now())); }
    void SleepForMicroseconds(int micros) override { scheduler_.advance(Duration(micros)); }
    rocksdb::Status GetCurrentTime(std::int64_t* unix_time) override {
        *unix_time = micros(clock_.now()) / 1'000'000;
        return rocksdb::Status::OK();
    }
    std::string TimeToString(std::uint64_t) override { return "then"; }

  private:
    Scheduler& scheduler_;
    VirtualClock& clock_;
};

class DiskEnv final : public rocksdb::EnvWrapper {
  public:
    DiskEnv(Disk& disk, Scheduler& scheduler, VirtualClock& clock, Scheduler::Owner owner)
        : DiskEnv(std::make_shared<DiskFiles>(disk, clock), scheduler, clock, owner) {}

    void Schedule(void (*function)(void*), void* arg, Priority priority, void* tag,
                  void (*dropped)(void*)) override {
        const std::uint64_t number = ++last_job_;
        jobs_.push_back({number, function, arg, priority, tag, dropped});
        scheduler_.post({owner_, database_lane, "database"}, [this, number] { run(number); });
    }
    int UnSchedule(void* tag, Priority priority) override {
        int count = 0;
        for (auto job = jobs_.begin(); job != jobs_.end();) {
            if (job->tag != tag || job->priority != priority) {
                ++job;
                continue;
            }
            if (job->dropped) job->dropped(job->arg);
            job = jobs_.erase(job);
            ++count;
        }
        return count;
    }
    // One after the other is what they get.
    void SetBackgroundThreads(int, Priority) override {}
    int GetBackgroundThreads(Priority priority) override { return priority == BOTTOM ? 0 : 1; }
    void IncBackgroundThreadsIfNeeded(int, Priority) override {}

    std::uint64_t NowMicros() override { return time_->NowMicros(); }
    std::uint64_t NowNanos() override { return time_->NowNanos(); }
    std::uint64_t NowCPUNanos() override { return 0; }
    void SleepForMicroseconds(int micros) override { time_->SleepForMicroseconds(micros); }
    rocksdb::Status GetCurrentTime(std::int64_t* unix_time) override {
        return time_->GetCurrentTime(unix_time);
    }
    std::string TimeToString(std::uint64_t time) override { return time_->TimeToString(time); }
    rocksdb::Status GetHostName(char* name, std::uint64_t length) override {
        std::strncpy(name, "simulated", length);
        return rocksdb::Status::OK();
    }
    std::string GenerateUniqueId() override { return "00000000-0000-0000-0000-000000000000"; }

  private:
    struct Job {
        std::uint64_t number;
        void (*function)(void*);
        void* arg;
        Priority priority;
        void* tag;
        void (*dropped)(void*);
    };

    DiskEnv(const std::shared_ptr<DiskFiles>& files, Scheduler& scheduler, VirtualClock& clock,
            Scheduler::Owner owner)
        : EnvWrapper(rocksdb::NewCompositeEnv(files)),
          scheduler_(scheduler),
          owner_(owner),
          time_(std::make_shared<DiskClock>(scheduler, clock)) {
        file_system_ = files;
        system_clock_ = time_;
    }

    /// Nothing, if it was taken back.
    void run(std::uint64_t number) {
        const auto found = std::ranges::find(jobs_, number, &Job::number);
        if (found == jobs_.end()) return;
        const Job job = *found;
        jobs_.erase(found);
        job.function(job.arg);
    }

    Scheduler& scheduler_;
    const Scheduler::Owner owner_;
    const std::shared_ptr<DiskClock> time_;
    std::list<Job> jobs_;
    std::uint64_t last_job_ = 0;
};

}  // namespace

std::unique_ptr<rocksdb::Env> disk_env(Disk& disk, Scheduler& scheduler, VirtualClock& clock,
                                       Scheduler::Owner owner) {
    return std::make_unique<DiskEnv>(disk, scheduler, clock, owner);
}

std::unique_ptr<rocksdb::Env> disk_env(Disk& disk, Clock& clock) {
    return rocksdb::NewCompositeEnv(std::make_shared<DiskFiles>(disk, clock));
}

void reseed_rocksdb(std::uint64_t seed) {
    constexpr std::uint64_t modulus = 2147483647;  // of its generator, which must not be 0
    reseed(*rocksdb::Random::GetTLSInstance(),
           static_cast<std::uint32_t>(seed % (modulus - 1) + 1));
}

}  // namespace bos::sim
