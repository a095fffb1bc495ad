#include "bench/raw_log.h"

#include "schemas/base/keys.h"

#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <stdexcept>
#include <utility>

namespace bos::bench {

RawLog::RawLog(const std::filesystem::path& folder) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.compression = rocksdb::kLZ4Compression;
    options.write_buffer_size = 16 * 1024 * 1024;  // as the log's
    options.max_background_jobs = 2;
    rocksdb::DB* db = nullptr;
    const rocksdb::Status opened = rocksdb::DB::Open(options, folder.string(), &db);
    if (!opened.ok()) throw std::runtime_error(opened.ToString());
    db_.reset(db);
    thread_ = std::thread([this] { run(); });
}

RawLog::~RawLog() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void RawLog::append(std::string record, Done done) {
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        first = waiting_.empty();
        waiting_.push_back({std::move(record), std::move(done)});
    }
    if (first) changed_.notify_one();
}

void RawLog::run() {
    while (true) {
        std::vector<Waiting> group;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
            if (waiting_.empty()) return;
            group.swap(waiting_);
        }
        const bool ok = write(group);
        for (Waiting& waiting : group) waiting.done(ok);
    }
}

bool RawLog::write(const std::vector<Waiting>& group) {
    rocksdb::WriteBatch batch;
    for (const Waiting& waiting : group) {
        const std::string key = KeyWriter().u64(++sequence_).take();
        if (!batch.Put(key, waiting.record).ok()) return false;
    }
    rocksdb::WriteOptions synced;
    synced.sync = true;
    return db_->Write(synced, &batch).ok();
}

}  // namespace bos::bench
