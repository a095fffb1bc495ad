#include "bench/raw_rows.h"

#include "bench/temp_folder.h"

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <memory>
#include <stdexcept>

namespace bos::bench {

namespace {

constexpr std::size_t batch_bytes = std::size_t{8} << 20;

void check(const rocksdb::Status& status) {
    if (!status.ok()) throw std::runtime_error(status.ToString());
}

/// Owns a database and its families.
class Database {
  public:
    Database(const std::filesystem::path& folder, const std::vector<std::string>& names,
             bool read_only) {
        rocksdb::Options options;
        options.create_if_missing = options.create_missing_column_families = !read_only;
        options.compression = rocksdb::kLZ4Compression;
        options.max_background_jobs = 4;  // as the view store's
        std::vector<rocksdb::ColumnFamilyDescriptor> families;
        for (const std::string& name : names) families.emplace_back(name, options);
        rocksdb::DB* opened = nullptr;
        check(read_only ? rocksdb::DB::OpenForReadOnly(options, folder.string(), families, &handles,
                                                       &opened)
                        : rocksdb::DB::Open(options, folder.string(), families, &handles, &opened));
        db.reset(opened);
    }
    ~Database() {
        for (rocksdb::ColumnFamilyHandle* handle : handles)
            db->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
    }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    std::unique_ptr<rocksdb::DB> db;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
};

}  // namespace

RawRows::RawRows(const std::filesystem::path& database) {
    std::vector<std::string> names;
    check(rocksdb::DB::ListColumnFamilies({}, database.string(), &names));
    const Database source(database, names, true);
    rocksdb::ReadOptions all;
    all.total_order_seek = true;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] == rocksdb::kDefaultColumnFamilyName) continue;
        Family& family = families_.emplace_back(Family{.name = names[i], .rows = {}});
        const std::unique_ptr<rocksdb::Iterator> rows(
            source.db->NewIterator(all, source.handles[i]));
        for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
            family.rows.push_back({rows->key().ToString(), rows->value().ToString()});
            bytes_ += rows->key().size() + rows->value().size();
        }
        check(rows->status());
        rows_ += family.rows.size();
    }
}

Measured RawRows::put_all(const std::filesystem::path& parent) const {
    const TempFolder folder(parent);
    std::vector<std::string> names{rocksdb::kDefaultColumnFamilyName};
    for (const Family& family : families_) names.push_back(family.name);
    const Database target(folder.path() / "raw", names, false);
    const auto start = SteadyClock::now();
    rocksdb::WriteBatch batch;
    const auto write = [&] {
        check(target.db->Write({}, &batch));
        batch.Clear();
    };
    for (std::size_t i = 0; i < families_.size(); ++i) {
        for (const Row& row : families_[i].rows) {
            check(batch.Put(target.handles[i + 1], row.key, row.value));
            if (batch.GetDataSize() >= batch_bytes) write();
        }
    }
    write();
    const auto end = SteadyClock::now();
    return {.count = rows_,
            .seconds = std::chrono::duration<double>(end - start).count(),
            .latencies_ns = {nanoseconds_since(start, end)}};
}

}  // namespace bos::bench
