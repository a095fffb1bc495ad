#include "projections/view_database.h"

#include "eventstore/durable_file.h"
#include "eventstore/ordered_wals.h"
#include "eventstore/spliced_env.h"
#include "eventstore/watched_reads.h"
#include "projections/row_key.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>

namespace bos::projections {

Error error_of(const rocksdb::Status& status, std::string_view doing) {
    const auto code = [&] {
        if (status.IsNotFound()) return Code::not_found;
        if (status.IsCorruption()) return Code::corrupt;
        if (status.IsNoSpace()) return Code::full;
        return Code::unavailable;
    }();
    return Error{code, fmt::format("view store: cannot {}: {}", doing, status.ToString())};
}

Error corrupt_row() {
    return Error{Code::corrupt, "view store: a row is shorter than its position"};
}

rocksdb::ReadOptions rows_at(const rocksdb::Snapshot* snapshot) {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot;
    options.ignore_range_deletions = true;
    return options;
}

namespace {

constexpr std::string_view format_key = "format";
constexpr std::uint32_t format_version = 2;

/// Groups the versions of one row, so that "nothing that old" is answered by a filter.
class RowOfVersion final : public rocksdb::SliceTransform {
  public:
    const char* Name() const override { return "bos.RowOfVersion"; }
    rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
        return {key.data(), key.size() - position_bytes};
    }
    bool InDomain(const rocksdb::Slice& key) const override { return key.size() > position_bytes; }
};

rocksdb::ColumnFamilyOptions family_options(const ViewStoreOptions& options,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = cache;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
    table.cache_index_and_filter_blocks = true;
    table.pin_l0_filter_and_index_blocks_in_cache = true;
    rocksdb::ColumnFamilyOptions family;
    family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    family.write_buffer_size = options.write_buffer_bytes;
    // Not more: 7.8 may retry memtable flushes in the wrong order with three and many jobs.
    family.max_write_buffer_number = 2;
    family.compression = rocksdb::kLZ4Compression;
    // Most rows that a projector asks for are new: answer "not in the memtable" without a search.
    family.memtable_prefix_bloom_size_ratio = 0.05;
    family.memtable_whole_key_filtering = true;
    return family;
}

rocksdb::ColumnFamilyOptions history_options(const ViewStoreOptions& options,
                                             const std::shared_ptr<rocksdb::Cache>& cache) {
    rocksdb::ColumnFamilyOptions family = family_options(options, cache);
    rocksdb::BlockBasedTableOptions table =
        *family.table_factory->GetOptions<rocksdb::BlockBasedTableOptions>();
    table.whole_key_filtering = false;
    family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    family.prefix_extractor = std::make_shared<RowOfVersion>();
    family.memtable_whole_key_filtering = false;
    return family;
}

rocksdb::Env& env_of(const ViewStoreOptions& options) {
    return options.env != nullptr ? *options.env : *rocksdb::Env::Default();
}

/// A file beside the store that says that it is damaged: the next start would not notice what only
/// a compaction reads, and would end at the same place.
std::string damage_note(const ViewStoreOptions& options) { return options.path + ".damaged"; }

/// RocksDB stops writing for good at an error of its threads, and says so to each write from then
/// on. Of a full disk it recovers by itself.
class BackgroundErrors final : public rocksdb::EventListener {
  public:
    explicit BackgroundErrors(ViewStoreOptions options) : options_(std::move(options)) {}

    void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
        if (status->IsNoSpace()) return;
        std::string next = "They catch up from the log when it is started again";
        if (status->IsCorruption()) {
            next = "They are built anew when it is started again";
            // Without the note the next start ends as this one does.
            static_cast<void>(eventstore::replace_file(env_of(options_), damage_note(options_),
                                                       status->ToString()));
        }
        options_.fatal(
            fmt::format("the views' database stopped: {}. {}", status->ToString(), next));
    }

  private:
    const ViewStoreOptions options_;
};

Result<bool> is_known_as_damaged(const ViewStoreOptions& options) {
    const rocksdb::Status status = env_of(options).FileExists(damage_note(options));
    if (status.IsNotFound()) return false;
    if (!status.ok()) return std::unexpected(error_of(status, "look for notes of damage"));
    return true;
}

rocksdb::DBOptions database_options(const ViewStoreOptions& options, rocksdb::Env& env) {
    rocksdb::DBOptions database;
    database.env = &env;
    database.listeners = {std::make_shared<BackgroundErrors>(options)};
    database.create_if_missing = true;
    database.create_missing_column_families = true;
    database.max_background_jobs = 4;
    database.bytes_per_sync = 1 << 20;
    database.max_total_wal_size = options.wal_bytes_max;
    database.wal_bytes_per_sync = 1 << 20;  // little is left when it is synced as a whole
    database.keep_log_file_num = 4;
    database.max_open_files = 4096;
    return database;
}

constexpr std::string_view unfinished_suffix = ".rows";

/// What crashes left of files of rows. A file that became a part of the database has another name
/// by then.
Result<void> remove_unfinished_files(const ViewStoreOptions& options) {
    std::vector<std::string> names;
    const rocksdb::Status listed = env_of(options).GetChildren(options.path, &names);
    if (listed.IsNotFound() || listed.IsPathNotFound()) return {};  // no store yet
    if (!listed.ok()) return std::unexpected(error_of(listed, "look for unfinished files"));
    for (const std::string& name : names) {
        if (!name.ends_with(unfinished_suffix)) continue;
        const rocksdb::Status removed = env_of(options).DeleteFile(options.path + "/" + name);
        const bool gone = removed.IsNotFound() || removed.IsPathNotFound();
        if (!removed.ok() && !gone)
            return std::unexpected(error_of(removed, "remove an unfinished file"));
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<ViewDatabase>> ViewDatabase::open(const ViewStoreOptions& options) {
    BOS_TRY(const bool damaged, is_known_as_damaged(options));
    if (damaged) return fail(Code::corrupt, "view store: damage was noted in " + options.path);
    const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(options.cache_bytes);
    const rocksdb::ColumnFamilyOptions plain = family_options(options, cache);
    const std::vector<rocksdb::ColumnFamilyDescriptor> families = {
        {rocksdb::kDefaultColumnFamilyName, {}},      {"head", plain}, {"graves", plain},
        {"history", history_options(options, cache)}, {"meta", plain},
    };
    std::unique_ptr<ViewDatabase> database(new ViewDatabase);
    database->file_bytes_min_ = options.file_bytes_min;
    BOS_CHECK(remove_unfinished_files(options));
    database->env_ = eventstore::spliced_env(
        env_of(options),
        eventstore::ordered_wals(eventstore::watch_reads(
            env_of(options).GetFileSystem(), std::string(unfinished_suffix), options.fatal)));
    rocksdb::DB* db = nullptr;
    const rocksdb::Status opened =
        rocksdb::DB::Open(database_options(options, *database->env_), options.path, families,
                          &database->families_, &db);
    // A newer version's store has families that this one does not know. After a power loss a file
    // may be missing that another one names.
    if (opened.IsInvalidArgument() || opened.IsPathNotFound())
        return fail(Code::corrupt, opened.ToString());
    if (!opened.ok()) return std::unexpected(error_of(opened, "open " + options.path));
    database->db_.reset(db);

    std::string format;
    const rocksdb::Status read = db->Get({}, database->meta(), std::string(format_key), &format);
    const std::string ours = KeyWriter().u32(format_version).take();
    if (read.IsNotFound()) {
        const rocksdb::Status written =
            db->Put({}, database->meta(), std::string(format_key), ours);
        if (!written.ok()) return std::unexpected(error_of(written, "write the format"));
    } else if (!read.ok()) {
        return std::unexpected(error_of(read, "read the format"));
    } else if (format != ours) {
        return fail(Code::corrupt, "view store: " + options.path + " has another format version");
    }
    return database;
}

Result<void> ViewDatabase::remove(const ViewStoreOptions& options) {
    BOS_CHECK(remove_unfinished_files(options));
    rocksdb::Options destroyed;
    destroyed.env = &env_of(options);
    const rocksdb::Status status = rocksdb::DestroyDB(options.path, destroyed);
    if (!status.ok()) return std::unexpected(error_of(status, "remove " + options.path));
    BOS_TRY(const bool damaged, is_known_as_damaged(options));
    if (!damaged) return {};
    const rocksdb::Status forgotten = destroyed.env->DeleteFile(damage_note(options));
    if (!forgotten.ok()) return std::unexpected(error_of(forgotten, "remove a note of damage"));
    return {};
}

ViewDatabase::~ViewDatabase() {
    if (!db_) return;
    for (rocksdb::ColumnFamilyHandle* family : families_) db_->DestroyColumnFamilyHandle(family);
    db_->Close();
}

std::string ViewDatabase::new_file_path() const {
    return fmt::format("{}/{}{}", db_->GetName(), ++files_made_, unfinished_suffix);
}

Result<void> ViewDatabase::write(rocksdb::WriteBatch& batch) const {
    const rocksdb::Status status = db_->Write({}, &batch);
    if (!status.ok()) return std::unexpected(error_of(status, "write"));
    return {};
}

}  // namespace bos::projections
