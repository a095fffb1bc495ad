#include "projections/row_files.h"

#include "projections/slices.h"

#include <rocksdb/sst_file_writer.h>

#include <algorithm>

namespace bos::projections {

namespace {

constexpr bool leave_the_page_cache = false;

Result<void> done(const rocksdb::Status& status, std::string_view doing) {
    if (!status.ok()) return std::unexpected(error_of(status, doing));
    return {};
}

}  // namespace

/// The rows of one range and family.
class RowFiles::File {
  public:
    File(const ViewDatabase& database, rocksdb::ColumnFamilyHandle* family)
        : family_(family),
          path_(database.new_file_path()),
          writer_(rocksdb::EnvOptions(database.db().GetDBOptions()),
                  database.db().GetOptions(family), family, leave_the_page_cache) {}

    [[nodiscard]] rocksdb::ColumnFamilyHandle* family() const { return family_; }
    [[nodiscard]] const std::string& path() const { return path_; }

    [[nodiscard]] rocksdb::Status begin() { return writer_.Open(path_); }
    [[nodiscard]] rocksdb::Status put(std::string_view key, std::string_view value) {
        return writer_.Put(slice_of(key), slice_of(value));
    }
    [[nodiscard]] rocksdb::Status erase(std::string_view key) {
        return writer_.Delete(slice_of(key));
    }
    [[nodiscard]] rocksdb::Status finish() { return writer_.Finish(); }

  private:
    rocksdb::ColumnFamilyHandle* const family_;
    const std::string path_;
    rocksdb::SstFileWriter writer_;
};

RowFiles::RowFiles(const ViewDatabase& database) : database_(database) {}

RowFiles::~RowFiles() {
    for (const std::unique_ptr<File>& file : open_)
        finished_[file->family()].push_back(file->path());
    open_.clear();
    for (const auto& [family, paths] : finished_) {
        for (const std::string& path : paths) {
            // What stays is removed when the database is opened.
            database_.db().GetEnv()->DeleteFile(path).PermitUncheckedError();
        }
    }
}

Result<RowFiles::File*> RowFiles::file_of(rocksdb::ColumnFamilyHandle* family) {
    const auto found = std::ranges::find(open_, family, &File::family);
    if (found != open_.end()) return found->get();
    open_.push_back(std::make_unique<File>(database_, family));
    BOS_CHECK(done(open_.back()->begin(), "begin a file of rows"));
    return open_.back().get();
}

Result<void> RowFiles::put(rocksdb::ColumnFamilyHandle* family, std::string_view key,
                           std::string_view value) {
    BOS_TRY(File* const file, file_of(family));
    return done(file->put(key, value), "write a file of rows");
}

Result<void> RowFiles::erase(rocksdb::ColumnFamilyHandle* family, std::string_view key) {
    BOS_TRY(File* const file, file_of(family));
    return done(file->erase(key), "write a file of rows");
}

Result<void> RowFiles::end_range() {
    while (!open_.empty()) {
        BOS_CHECK(done(open_.back()->finish(), "end a file of rows"));
        finished_[open_.back()->family()].push_back(open_.back()->path());
        open_.pop_back();
    }
    return {};
}

Result<void> RowFiles::commit() {
    BOS_CHECK(end_range());
    if (finished_.empty()) return {};
    constexpr bool synced = true;
    BOS_CHECK(done(database_.db().FlushWAL(synced), "sync what was written before"));
    std::vector<rocksdb::IngestExternalFileArg> parts;
    for (const auto& [family, paths] : finished_) {
        rocksdb::IngestExternalFileArg& part = parts.emplace_back();
        part.column_family = family;
        part.external_files = paths;
        part.options.move_files = true;
        part.options.write_global_seqno = false;
        // No reader looks into a range before it is finished.
        part.options.snapshot_consistency = false;
        // Its first and last key are looked for without a look at errors (watched_reads.h).
        part.options.verify_checksums_before_ingest = true;
    }
    BOS_CHECK(done(database_.db().IngestExternalFiles(parts), "take in files of rows"));
    finished_.clear();
    return {};
}

}  // namespace bos::projections
