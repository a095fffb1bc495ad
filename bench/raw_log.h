#pragma once

#include <rocksdb/db.h>

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace bos::bench {

/// The limit of a log on RocksDB: one thread puts all that waits into one batch, writes it synced
/// and answers. No chain, no index, no verification, no witness outside the database.
class RawLog {
  public:
    using Done = std::move_only_function<void(bool ok)>;

    explicit RawLog(const std::filesystem::path& folder);
    ~RawLog();
    RawLog(const RawLog&) = delete;
    RawLog& operator=(const RawLog&) = delete;

    void append(std::string record, Done done);

  private:
    struct Waiting {
        std::string record;
        Done done;
    };

    void run();
    [[nodiscard]] bool write(const std::vector<Waiting>& group);

    std::unique_ptr<rocksdb::DB> db_;

    std::mutex mutex_;
    std::condition_variable changed_;
    // Guarded by mutex_.
    std::vector<Waiting> waiting_;
    bool stopping_ = false;

    std::uint64_t sequence_ = 0;  // touched only on thread_
    std::thread thread_;
};

}  // namespace bos::bench
