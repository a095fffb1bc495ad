#include "eventstore/log_tables.h"

#include "eventstore/log_rows.h"
#include "eventstore/rocks_status.h"
#include "schemas/base/digest.h"
#include "schemas/base/keys.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/snapshot.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <mutex>
#include <utility>

namespace bos::eventstore {

namespace {

constexpr std::size_t long_scan = 256;  // records; longer ones read ahead
constexpr std::size_t long_scan_readahead_bytes = 1024 * 1024;
constexpr int steps_before_seek = 8;  // records of other tenants between two of ours

std::unexpected<Error> corrupt(std::string what) { return fail(Code::corrupt, std::move(what)); }

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
    db.create_if_missing = true;
    db.create_missing_column_families = true;
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
    db.db_write_buffer_size = options.memtable_bytes;
    db.max_total_wal_size = 4 * options.memtable_bytes;
    db.bytes_per_sync = 1024 * 1024;  // SST files; the WAL is synced by each write
    db.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
    db.max_log_file_size = 4 * 1024 * 1024;
    db.keep_log_file_num = 4;
    db.stats_dump_period_sec = 0;
    return db;
}

rocksdb::ColumnFamilyOptions family_options(const LogTablesOptions& options,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = cache;
    table.cache_index_and_filter_blocks = true;
    table.pin_l0_filter_and_index_blocks_in_cache = true;
    // Each new command asks for its key and misses.
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    rocksdb::ColumnFamilyOptions family;
    family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    family.compression = rocksdb::kLZ4Compression;
    family.write_buffer_size = options.memtable_bytes / 2;
    family.max_write_buffer_number = 2;  // more: wrong order of flush retries before 7.9
    return family;
}

rocksdb::ReadOptions up_to(const rocksdb::Slice& upper_bound) {
    rocksdb::ReadOptions read;
    read.iterate_upper_bound = &upper_bound;
    return read;
}

std::string at(const TenantId& tenant, Position position) {
    return fmt::format("{} at {}", tenant.value(), position.value);
}

Result<void> check_belongs(std::string_view record, const TenantId& tenant, Position position) {
    const Result<Link> link = link_of(record);
    if (!link) return corrupt(at(tenant, position) + ": " + link.error().detail);
    if (link->tenant != tenant || link->position != position) {
        return corrupt(fmt::format("{}: the index leads to the record of {}", at(tenant, position),
                                   at(link->tenant, link->position)));
    }
    return {};
}

}  // namespace

/// An open database; closes in its destructor.
class LogTables::Database {
  public:
    static Result<std::unique_ptr<Database>> open(const LogTablesOptions& options) {
        auto database = std::unique_ptr<Database>(new Database);
        const auto family = family_options(options, rocksdb::NewLRUCache(options.cache_bytes));
        // `default` cannot be left out, so it holds the records.
        const std::vector<rocksdb::ColumnFamilyDescriptor> families = {
            {rocksdb::kDefaultColumnFamilyName, family}, {"index", family}};
        std::vector<rocksdb::ColumnFamilyHandle*> handles;
        rocksdb::DB* db = nullptr;
        rocksdb::DBOptions settings = database_options(options);
        settings.create_if_missing = settings.create_missing_column_families = !options.read_only;
        BOS_ROCKS(
            options.read_only
                ? rocksdb::DB::OpenForReadOnly(settings, options.path, families, &handles, &db)
                : rocksdb::DB::Open(settings, options.path, families, &handles, &db),
            "open the log's database in " + options.path);
        database->db_.reset(db);
        database->families_ = {.records = handles[0], .index = handles[1]};
        return database;
    }

    ~Database() {
        if (!db_) return;
        db_->DestroyColumnFamilyHandle(families_.records).PermitUncheckedError();
        db_->DestroyColumnFamilyHandle(families_.index).PermitUncheckedError();
        db_->Close().PermitUncheckedError();  // all that matters was synced when it was written
    }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    [[nodiscard]] rocksdb::DB& db() const { return *db_; }
    [[nodiscard]] const LogFamilies& families() const { return families_; }

    [[nodiscard]] std::unique_ptr<rocksdb::Iterator> iterate(
        const rocksdb::ReadOptions& read, rocksdb::ColumnFamilyHandle* family) const {
        return std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(read, family));
    }

  private:
    Database() = default;

    std::unique_ptr<rocksdb::DB> db_;
    LogFamilies families_;
};

/// Uses the open database for the length of one read.
#define BOS_USE_DATABASE()                                                                      \
    const std::shared_lock lock(mutex_);                                                        \
    if (!database_) return fail(Code::unavailable, "the log's database could not be reopened"); \
    const Database& database = *database_

LogTables::LogTables(LogTablesOptions options) : options_(std::move(options)) {}

LogTables::~LogTables() = default;

Result<std::unique_ptr<LogTables>> LogTables::open(LogTablesOptions options) {
    auto tables = std::unique_ptr<LogTables>(new LogTables(std::move(options)));
    BOS_CHECK(tables->reopen());
    return tables;
}

Result<void> LogTables::reopen() {
    const std::unique_lock lock(mutex_);
    database_.reset();
    BOS_TRY(database_, Database::open(options_));
    return {};
}

Result<Mark> LogTables::end() const {
    BOS_USE_DATABASE();
    Mark end;
    const auto records = database.iterate({}, database.families().records);
    records->SeekToLast();
    if (records->Valid()) {
        const auto sequence = log_rows::sequence_of(records->key().ToStringView());
        if (!sequence) return corrupt("the last record has a key that is not ours");
        end = {.sequence = *sequence, .hash = hash_of(records->value().ToStringView())};
    }
    BOS_ROCKS(records->status(), "look for the last record");

    std::string value;
    const rocksdb::Status status =
        database.db().Get({}, database.families().index, log_rows::end_key(), &value);
    if (!status.IsNotFound()) BOS_ROCKS(status, "read the index's end");
    const auto indexed =
        status.IsNotFound() ? std::optional<std::uint64_t>(0) : log_rows::end_row(value);
    if (indexed != end.sequence) {
        return corrupt(fmt::format("the records end at number {}, their index at {}", end.sequence,
                                   indexed.value_or(0)));
    }
    return end;
}

Result<std::string> LogTables::record(std::uint64_t sequence) const {
    BOS_USE_DATABASE();
    std::string bytes;
    BOS_ROCKS(
        database.db().Get({}, database.families().records, log_rows::record_key(sequence), &bytes),
        fmt::format("read record number {}", sequence));
    return bytes;
}

Result<Head> LogTables::head(const TenantId& tenant) const {
    BOS_USE_DATABASE();
    const std::string prefix = log_rows::positions_of(tenant);
    const auto positions = database.iterate({}, database.families().index);
    positions->SeekForPrev(after_prefix(prefix));
    BOS_ROCKS(positions->status(), "look for the head of " + tenant.value());
    if (!positions->Valid() || !positions->key().starts_with(prefix)) return Head{};
    const auto place = log_rows::position_of(positions->key().ToStringView());
    const auto row = log_rows::position_row(positions->value().ToStringView());
    if (!place || !row) return corrupt(tenant.value() + ": the index row of the head is damaged");
    return Head{.position = place->second, .hash = row->hash};
}

Result<std::string> LogTables::read(const TenantId& tenant, Position position) const {
    BOS_USE_DATABASE();
    std::string value;
    BOS_ROCKS(database.db().Get({}, database.families().index,
                                log_rows::position_key(tenant, position), &value),
              "read " + at(tenant, position));
    const auto row = log_rows::position_row(value);
    if (!row) return corrupt(at(tenant, position) + ": the index row is damaged");
    std::string record;
    const rocksdb::Status status = database.db().Get({}, database.families().records,
                                                     log_rows::record_key(row->sequence), &record);
    if (status.IsNotFound()) return corrupt(at(tenant, position) + ": the record is missing");
    BOS_ROCKS(status, "read " + at(tenant, position));
    BOS_CHECK(check_belongs(record, tenant, position));
    return record;
}

namespace {

/// Moves to a row that is expected soon after the current one: stepping over a few neighbours is
/// cheaper than a seek.
void move_to(rocksdb::Iterator& rows, const std::string& key) {
    for (int step = 0; step < steps_before_seek && rows.Valid(); ++step) {
        const int order = rows.key().compare(key);
        if (order == 0) return;
        if (order > 0) break;
        rows.Next();
    }
    if (!rows.Valid() || rows.key() != rocksdb::Slice(key)) rows.Seek(key);
}

}  // namespace

Result<void> LogTables::scan(const TenantId& tenant, Position from, Position to,
                             const EventLog::Visit& visit) const {
    BOS_USE_DATABASE();
    from = std::max(from, Position{1});
    if (to < from) return {};
    rocksdb::ManagedSnapshot snapshot(&database.db());
    const std::string end = to.value == std::numeric_limits<std::uint64_t>::max()
                                ? after_prefix(log_rows::positions_of(tenant))
                                : log_rows::position_key(tenant, to.next());
    const rocksdb::Slice upper_bound = end;
    rocksdb::ReadOptions read = up_to(upper_bound);
    read.snapshot = snapshot.snapshot();
    rocksdb::ReadOptions read_records;
    read_records.snapshot = snapshot.snapshot();
    if (to.value - from.value >= long_scan) {
        read_records.readahead_size = long_scan_readahead_bytes;
        read_records.fill_cache = false;
    }
    const auto positions = database.iterate(read, database.families().index);
    const auto records = database.iterate(read_records, database.families().records);

    Position expected = from;
    for (positions->Seek(log_rows::position_key(tenant, from)); positions->Valid();
         positions->Next(), expected = expected.next()) {
        const auto place = log_rows::position_of(positions->key().ToStringView());
        const auto row = log_rows::position_row(positions->value().ToStringView());
        if (!place || !row) return corrupt(at(tenant, expected) + ": the index row is damaged");
        if (place->second != expected)
            return corrupt(at(tenant, expected) + ": the record is missing");
        const std::string key = log_rows::record_key(row->sequence);
        move_to(*records, key);
        BOS_ROCKS(records->status(), "read " + at(tenant, expected));
        if (!records->Valid() || records->key() != rocksdb::Slice(key)) {
            return corrupt(at(tenant, expected) + ": the record is missing");
        }
        const std::string_view record = records->value().ToStringView();
        BOS_CHECK(check_belongs(record, tenant, expected));
        if (!visit(expected, record)) return {};
    }
    BOS_ROCKS(positions->status(), "scan " + at(tenant, expected));
    return {};
}

Result<std::vector<EventAddress>> LogTables::stream(const TenantId& tenant, const StreamId& stream,
                                                    Version from, std::size_t limit) const {
    BOS_USE_DATABASE();
    const std::string end = after_prefix(log_rows::stream_prefix(tenant, stream));
    const rocksdb::Slice upper_bound = end;
    const auto rows = database.iterate(up_to(upper_bound), database.families().index);
    std::vector<EventAddress> addresses;
    for (rows->Seek(log_rows::stream_key(tenant, stream, from));
         rows->Valid() && addresses.size() < limit; rows->Next()) {
        const auto address =
            log_rows::address_of(rows->key().ToStringView(), rows->value().ToStringView());
        if (!address) return corrupt(tenant.value() + ": an index row of a stream is damaged");
        addresses.push_back(*address);
    }
    BOS_ROCKS(rows->status(), "read a stream of " + tenant.value());
    return addresses;
}

Result<std::optional<Position>> LogTables::find_key(const TenantId& tenant,
                                                    std::string_view key) const {
    BOS_USE_DATABASE();
    std::string value;
    const rocksdb::Status status = database.db().Get(
        {}, database.families().index, log_rows::key_key(tenant, sha256(key)), &value);
    if (status.IsNotFound()) return std::nullopt;
    BOS_ROCKS(status, "look for a key of " + tenant.value());
    const auto position = log_rows::key_row(value);
    if (!position) return corrupt(tenant.value() + ": an index row of a key is damaged");
    return position;
}

Result<std::vector<TenantId>> LogTables::tenants() const {
    BOS_USE_DATABASE();
    const std::string end = after_prefix(log_rows::all_positions());
    const rocksdb::Slice upper_bound = end;
    const auto rows = database.iterate(up_to(upper_bound), database.families().index);
    std::vector<TenantId> tenants;
    rows->Seek(log_rows::all_positions());
    while (rows->Valid()) {
        const auto place = log_rows::position_of(rows->key().ToStringView());
        if (!place) return corrupt("an index row of a position is damaged");
        tenants.push_back(place->first);
        rows->Seek(after_prefix(log_rows::positions_of(place->first)));
    }
    BOS_ROCKS(rows->status(), "list the tenants");
    return tenants;
}

Result<void> LogTables::write(std::uint64_t end, std::span<const IndexedRecord* const> records) {
    return write(end, records, {}, Sync::yes);
}

Result<void> LogTables::fill(std::uint64_t end, std::span<const IndexedRecord* const> records,
                             std::span<const LogNote> notes) {
    return write(end, records, notes, Sync::no);
}

Result<void> LogTables::write(std::uint64_t end, std::span<const IndexedRecord* const> records,
                              std::span<const LogNote> notes, Sync sync) {
    BOS_USE_DATABASE();
    rocksdb::WriteBatch batch;
    RecordRows rows;
    for (const IndexedRecord* record : records) rows.add(++end, record->bytes, record->index);
    BOS_ROCKS(rows.put(batch, database.families()), "build a batch");
    for (const LogNote& note : notes) {
        BOS_ROCKS(batch.Put(database.families().index, note.key, note.value), "build a batch");
    }
    BOS_ROCKS(put_end(batch, database.families(), end), "build a batch");
    rocksdb::WriteOptions options;
    options.sync = sync == Sync::yes;
    BOS_ROCKS(database.db().Write(options, &batch), "write to the log");
    return {};
}

Result<std::optional<std::string>> LogTables::note(const std::string& key) const {
    BOS_USE_DATABASE();
    std::string value;
    const rocksdb::Status status = database.db().Get({}, database.families().index, key, &value);
    if (status.IsNotFound()) return std::nullopt;
    BOS_ROCKS(status, "read a note");
    return value;
}

}  // namespace bos::eventstore
