#pragma once

#include "schemas/base/arbitrary.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace bos::sim {

/// A disk in memory that tells what is durable from what is only written. Content is durable after
/// a sync of its file, a name after a sync of its folder; neither makes the other durable, as POSIX
/// has it.
///
/// Thread-safe (RocksDB reads with threads of its own when it opens tables). Changes come from one
/// thread.
class Disk {
  public:
    enum class Operation : std::uint8_t {
        create,
        append,
        write,
        truncate,
        sync,
        rename,
        link,
        remove,
        make_folder,
        sync_folder,
        // What changes nothing.
        open,
        read,
        list,
        look,  ///< whether it is there, its size
        lock,
        close,
    };
    enum class Verdict : std::uint8_t { ok, no_space, io_error, torn };
    /// Asked before each change. With no_space and torn (which is an I/O error to the caller) the
    /// first half of the bytes is written, with io_error nothing is done; a sync that fails leaves
    /// its bytes as unsure as they were.
    using Watch = std::function<Verdict(Operation, const std::string& path, std::size_t bytes)>;

    class File;
    using FilePtr = std::shared_ptr<File>;

    Disk();
    Disk(const Disk&) = delete;
    Disk& operator=(const Disk&) = delete;

    void watch(Watch watch) { watch_ = std::move(watch); }
    /// Asked before what changes nothing; from several threads.
    void watch_reads(Watch watch) { watch_reads_ = std::move(watch); }
    [[nodiscard]] Verdict ask_to(Operation operation, const std::string& path) const {
        return watch_reads_ ? watch_reads_(operation, path, 0) : Verdict::ok;
    }

    // Names.
    /// An empty file; one that had the name is without it from now on. Null: refused, see
    /// `verdict`.
    FilePtr create(const std::string& path, Verdict& verdict);
    [[nodiscard]] FilePtr find(const std::string& path) const;
    [[nodiscard]] bool is_folder(const std::string& path) const;
    /// In order.
    [[nodiscard]] std::vector<std::string> children(const std::string& folder) const;
    Verdict make_folder(const std::string& path);
    Verdict remove(const std::string& path);
    Verdict rename(const std::string& from, const std::string& to);
    Verdict link(const std::string& from, const std::string& to);
    Verdict sync_folder(const std::string& path);
    [[nodiscard]] bool lock(const std::string& path);
    void unlock(const std::string& path);

    // Content.
    Verdict append(File& file, std::string_view bytes);
    Verdict write(File& file, std::uint64_t offset, std::string_view bytes);
    Verdict truncate(File& file, std::uint64_t size);
    Verdict sync(File& file);
    [[nodiscard]] std::string read(const File& file, std::uint64_t offset, std::size_t bytes) const;
    [[nodiscard]] std::uint64_t size(const File& file) const;

    /// What a machine finds that lost its power at this moment. Of what was not synced: appended
    /// bytes stay whole, are gone, or end at any multiple of 512; overwritten sectors of 512 are
    /// old or new, each by itself; changes of a folder happened or did not, each by itself.
    [[nodiscard]] std::unique_ptr<Disk> after_power_loss(Draws& draws) const;
    /// What the next process finds when this one is killed: all that was written.
    [[nodiscard]] std::unique_ptr<Disk> after_kill() const;

  private:
    struct Change {
        std::string remove;  ///< a name; empty = none
        std::string add;     ///< a name; empty = none
        FilePtr file;        ///< what `add` names; null = a folder
    };
    using Names = std::map<std::string, FilePtr>;
    struct Folder {
        Names now;
        Names durable;
        std::vector<Change> unsynced;  ///< from `durable` to `now`
    };

    Verdict ask(Operation operation, const std::string& path, std::size_t bytes = 0) const;
    Folder* folder_of(const std::string& path);
    [[nodiscard]] const Folder* folder_of(const std::string& path) const;
    static void apply(Names& names, const Change& change);
    void change(const std::string& path, Change change);

    Watch watch_;
    Watch watch_reads_;
    mutable std::mutex mutex_;
    std::map<std::string, Folder> folders_;  ///< by path; guarded by mutex_
    std::set<std::string> locks_;            ///< guarded by mutex_
};

[[nodiscard]] std::string_view name_of(Disk::Operation operation);

}  // namespace bos::sim
