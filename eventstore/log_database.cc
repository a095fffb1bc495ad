#include "eventstore/log_database.h"

#include "eventstore/rocks_status.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

#include <utility>
#include <vector>

namespace bos::eventstore {

namespace {

/// RocksDB's background errors. A full disk is survivable (see LogTables::reopen), nothing else is.
class BackgroundErrors final : public rocksdb::EventListener {
  public:
    explicit BackgroundErrors(Fatal fatal) : fatal_(std::move(fatal)) {}

    void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
        if (status->IsNoSpace()) return;
        fatal_("the log's database stopped: " + status->ToString());
    }
    // Faults of its own recovery were fixed only in 8.0, 9.6 and 9.7; reopening is the tested way.
    void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                              bool* auto_recovery) override {
        *auto_recovery = false;
    }

  private:
    const Fatal fatal_;
};

rocksdb::DBOptions database_options(const LogTablesOptions& options) {
    rocksdb::DBOptions db;
    db.env = options.env;
    db.create_if_missing = db.create_missing_column_families = !options.read_only;
    db.paranoid_checks = true;
    // The only mode that refuses a flipped bit and accepts a record torn by a crash. What it does
    // not see (whole records gone from the end) the high-water mark does.
    db.wal_recovery_mode = options.refillable
                               ? rocksdb::WALRecoveryMode::kPointInTimeRecovery
                               : rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    db.max_bgerror_resume_count = 0;
    db.listeners = {std::make_shared<BackgroundErrors>(options.fatal)};
    db.max_background_jobs = 2;
    db.max_open_files = 512;
    db.allow_concurrent_memtable_write = false;  // one thread writes
    db.db_write_buffer_size = options.memtable_bytes;
    db.max_total_wal_size = 4 * options.memtable_bytes;
    db.bytes_per_sync = 1024 * 1024;  // SST files; the WAL is synced by each write
    db.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
    db.max_log_file_size = 4 * 1024 * 1024;
    db.keep_log_file_num = 4;
    db.stats_dump_period_sec = 0;
    return db;
}

rocksdb::BlockBasedTableOptions table_options(const std::shared_ptr<rocksdb::Cache>& cache) {
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = cache;
    table.cache_index_and_filter_blocks = true;
    table.pin_l0_filter_and_index_blocks_in_cache = true;
    // Each new command asks for its key and misses.
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    return table;
}

rocksdb::ColumnFamilyOptions family_options(const LogTablesOptions& options,
                                            const rocksdb::BlockBasedTableOptions& table) {
    rocksdb::ColumnFamilyOptions family;
    family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    family.compression = rocksdb::kLZ4Compression;
    family.write_buffer_size = options.memtable_bytes / 2;
    family.max_write_buffer_number = 2;  // more: wrong order of flush retries before 7.9
    return family;
}

rocksdb::ColumnFamilyOptions records_options(rocksdb::ColumnFamilyOptions family,
                                             rocksdb::BlockBasedTableOptions table) {
    // Only what is there is looked for: the index says where.
    table.filter_policy.reset();
    family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return family;
}

rocksdb::ColumnFamilyOptions index_options(rocksdb::ColumnFamilyOptions family) {
    // Keys are spread evenly by their digests, so each level of a levelled tree would be rewritten
    // many times over; tiers rewrite a row once in each.
    family.compaction_style = rocksdb::kCompactionStyleUniversal;
    family.level0_file_num_compaction_trigger = 16;
    // Digests and ids do not get smaller; to try took a quarter of what compactions cost.
    family.compression = rocksdb::kNoCompression;
    // Files that wait to be merged hold up nobody who appends: these are limits of all families.
    family.level0_slowdown_writes_trigger = 64;
    family.level0_stop_writes_trigger = 128;
    return family;
}

Result<void> to_result(const rocksdb::Status& status, std::string_view doing) {
    BOS_ROCKS(status, doing);
    return {};
}

}  // namespace

Result<std::unique_ptr<LogDatabase>> LogDatabase::open(const LogTablesOptions& options) {
    auto database = std::unique_ptr<LogDatabase>(new LogDatabase);
    const auto table = table_options(rocksdb::NewLRUCache(options.cache_bytes));
    const auto family = family_options(options, table);
    // `default` cannot be left out, so it holds the records.
    std::vector<rocksdb::ColumnFamilyDescriptor> families = {
        {rocksdb::kDefaultColumnFamilyName, records_options(family, table)},
        {"index", index_options(family)}};
    if (options.refillable) families.emplace_back("notes", family);
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    const rocksdb::DBOptions settings = database_options(options);
    BOS_ROCKS(options.read_only
                  ? rocksdb::DB::OpenForReadOnly(settings, options.path, families, &handles, &db)
                  : rocksdb::DB::Open(settings, options.path, families, &handles, &db),
              "open the log's database in " + options.path);
    database->db_.reset(db);
    database->families_ = {.records = handles[0],
                           .index = handles[1],
                           .notes = options.refillable ? handles[2] : nullptr};
    return database;
}

LogDatabase::~LogDatabase() {
    if (!db_) return;
    for (rocksdb::ColumnFamilyHandle* family :
         {families_.records, families_.index, families_.notes}) {
        if (family) db_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
    }
    db_->Close().PermitUncheckedError();  // all that matters was synced when it was written
}

Result<void> LogDatabase::write(const rocksdb::WriteOptions& options,
                                rocksdb::WriteBatch& batch) const {
    const std::lock_guard lock(wal_mutex_);
    BOS_CHECK(wal_);
    wal_ = to_result(db_->Write(options, &batch), "write to the log");
    return wal_;
}

Result<void> LogDatabase::sync() const {
    const std::lock_guard lock(wal_mutex_);
    BOS_CHECK(wal_);
    wal_ = to_result(db_->FlushWAL(true), "sync the log");
    return wal_;
}

Result<void> LogDatabase::clear_index() {
    rocksdb::ColumnFamilyDescriptor same;
    BOS_ROCKS(families_.index->GetDescriptor(&same), "look at the index");
    BOS_ROCKS(db_->DropColumnFamily(families_.index), "drop the index");
    BOS_ROCKS(db_->DestroyColumnFamilyHandle(families_.index), "drop the index");
    families_.index = nullptr;
    BOS_ROCKS(db_->CreateColumnFamily(same.options, same.name, &families_.index),
              "make an empty index");
    return {};
}

}  // namespace bos::eventstore
