#include "eventstore/key_rows.h"

#include "eventstore/durable_file.h"
#include "eventstore/fail_stop_fs.h"
#include "eventstore/key_wrapping.h"
#include "eventstore/rocks_status.h"
#include "schemas/base/assert.h"
#include "schemas/base/keys.h"
#include "schemas/base/uuid.h"

#include <fmt/format.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace bos::eventstore {

namespace {

// Below this nothing is written: a database that met a full disk could not go on.
constexpr std::uint64_t free_bytes_min = 64 * 1024 * 1024;
constexpr std::string_view grave = "e";
constexpr std::string_view told_mark = "t";

std::string mark_key() { return KeyWriter().u8('m').take(); }
std::string place_key() { return KeyWriter().u8('o').take(); }
std::string key_key(const Uuid& id) { return KeyWriter().u8('k').uuid(id).take(); }
std::string purge_key(const Uuid& id) { return KeyWriter().u8('d').uuid(id).take(); }
std::string assignments_of(std::string_view owner) { return KeyWriter().u8('a').raw(owner).take(); }
std::string assignment_key(std::string_view owner, const Uuid& id) {
    return KeyWriter().u8('a').raw(owner).uuid(id).take();
}
std::string erased_key(std::string_view owner) { return KeyWriter().u8('x').raw(owner).take(); }
std::string tenant_key(const TenantId& tenant) {
    return KeyWriter().u8('s').text(tenant.value()).take();
}

constexpr std::size_t id_bytes = 16;

/// Groups the assignments of one owner, so that a filter answers for a new subject.
class OwnerOfAssignment final : public rocksdb::SliceTransform {
  public:
    const char* Name() const override { return "bos.OwnerOfAssignment"; }
    rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
        return {key.data(), key.size() - id_bytes};
    }
    bool InDomain(const rocksdb::Slice& key) const override {
        return key.starts_with("a") && key.size() > id_bytes;
    }
};

rocksdb::Options database_options(rocksdb::Env& env) {
    rocksdb::Options options;
    options.env = &env;
    options.create_if_missing = true;
    options.paranoid_checks = true;
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    options.max_bgerror_resume_count = 0;
    options.max_background_jobs = 2;
    options.max_write_buffer_number = 2;
    options.write_buffer_size = 4 * 1024 * 1024;
    options.max_open_files = 128;
    options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
    options.keep_log_file_num = 2;
    options.stats_dump_period_sec = 0;
    options.compression = rocksdb::kNoCompression;  // secrets do not compress
    // What is looked for most is not there: the rows of a subject that is new.
    rocksdb::BlockBasedTableOptions table;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    options.prefix_extractor = std::make_shared<OwnerOfAssignment>();
    options.memtable_prefix_bloom_size_ratio = 0.1;
    options.memtable_whole_key_filtering = true;
    return options;
}

/// A batch in memory takes what it is given.
void must(const rocksdb::Status& status) { BOS_ASSERT(status.ok()); }

}  // namespace

std::string subject_bytes(const TenantId& tenant, const StreamId& subject) {
    return KeyWriter().text(tenant.value()).u16(subject.type).uuid(subject.id).take();
}

std::unexpected<Error> key_is_lost(const Uuid& id) {
    return fail(Code::corrupt, "the key store has lost key " + to_string(id) +
                                   ", which a record names. To do: restore the key store from its "
                                   "backup");
}

std::string KeyRow::to_bytes() const { return destroyed() ? std::string(grave) : wrapped + owner; }

Result<KeyRow> KeyRow::parse(std::string_view bytes) {
    if (bytes == grave) return KeyRow{};
    if (bytes.size() < wrapped_key_bytes) return fail(Code::corrupt, "a key's row is damaged");
    return KeyRow{.wrapped = std::string(bytes.substr(0, wrapped_key_bytes)),
                  .owner = std::string(bytes.substr(wrapped_key_bytes))};
}

/// Moves the mark when rows went to a file of their own, whose name only the MANIFEST knows.
class KeyRows::Flushes final : public rocksdb::EventListener {
  public:
    explicit Flushes(KeyRows& rows) : rows_(rows) {}

    void OnFlushCompleted(rocksdb::DB* db, const rocksdb::FlushJobInfo& flush) override {
        // What a flush takes is not in the WAL any more when its outcome is told: all is synced.
        if (const auto noted = rows_.note(*db, flush.largest_seqno); !noted) {
            spdlog::warn("the mark of {} stays behind: {}", rows_.options_.path,
                         noted.error().detail);
        }
    }

  private:
    KeyRows& rows_;
};

Result<std::unique_ptr<KeyRows>> KeyRows::open(Options options) {
    auto env = fail_stop_env(options.env ? *options.env : *rocksdb::Env::Default(), options.fatal);
    std::unique_ptr<KeyRows> rows(new KeyRows(std::move(options), std::move(env)));
    const std::string& path = rows->options_.path;
    BOS_TRY(const std::optional<DatabaseMark> mark, read_mark(*rows->env_, path));
    if (mark) BOS_CHECK(check_manifest(*rows->env_, path, *mark));
    rocksdb::Options of_database = database_options(*rows->env_);
    of_database.listeners.push_back(std::make_shared<Flushes>(*rows));
    rocksdb::DB* db = nullptr;
    BOS_ROCKS(rocksdb::DB::Open(of_database, path, &db), "open the key store in " + path);
    rows->db_.reset(db);
    if (mark) BOS_CHECK(rows->check_sequence(*mark));
    BOS_CHECK(sync_parent_folder(*rows->env_, path));
    BOS_CHECK(rows->note(*db, mark ? mark->sequence : 0));
    return rows;
}

Result<void> KeyRows::check_sequence(const DatabaseMark& mark) const {
    const std::uint64_t last = db_->GetLatestSequenceNumber();
    if (last >= mark.sequence) return {};
    return fail(
        Code::corrupt,
        fmt::format("the key store in {} ends at write {}, and {} were durable: its "
                    "write-ahead log was cut or is gone. To do: restore the folder from its "
                    "backup",
                    options_.path, last, mark.sequence));
}

Result<void> KeyRows::note(rocksdb::DB& db, std::uint64_t sequence) {
    const std::lock_guard lock(mark_mutex_);
    BOS_TRY(const DatabaseMark mark, mark_of(db, std::max(sequence, mark_.sequence)));
    if (mark == mark_) return {};
    BOS_CHECK(write_mark(*env_, options_.path, mark));
    mark_ = mark;
    return {};
}

Result<bool> KeyRows::exist(const Options& options) {
    rocksdb::Env& env = options.env ? *options.env : *rocksdb::Env::Default();
    const rocksdb::Status status = env.FileExists(options.path + "/CURRENT");
    if (!status.IsNotFound()) BOS_ROCKS(status, "look for a key store in " + options.path);
    return status.ok();
}

KeyRows::KeyRows(Options options, std::unique_ptr<rocksdb::Env> env)
    : options_(std::move(options)), env_(std::move(env)) {}

Result<std::optional<KeyRow>> KeyRows::key(const Uuid& id) const {
    BOS_TRY(const auto row, get(key_key(id)));
    if (!row) return std::nullopt;
    return KeyRow::parse(*row);
}

Result<std::vector<Uuid>> KeyRows::keys_of(std::string_view owner) const {
    return ids_after(assignments_of(owner));
}

Result<bool> KeyRows::is_erased(std::string_view owner) const {
    BOS_TRY(const auto row, get(erased_key(owner)));
    return row.has_value();
}

Result<std::vector<Uuid>> KeyRows::to_purge() const {
    return ids_after(KeyWriter().u8('d').take());
}

Result<bool> KeyRows::needs_telling(const Uuid& id) const {
    BOS_TRY(const auto row, get(purge_key(id)));
    return row && *row != told_mark;
}

Result<std::optional<std::string>> KeyRows::tenant_secret(const TenantId& tenant) const {
    return get(tenant_key(tenant));
}

Result<std::optional<std::string>> KeyRows::master_mark() const { return get(mark_key()); }

Result<std::optional<std::string>> KeyRows::place() const { return get(place_key()); }

std::string KeyRows::name_of_place() { return place_key(); }

Result<void> KeyRows::each(const Visit& visit) const {
    const std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator({}));
    for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
        BOS_CHECK(visit(rows->key().ToStringView(), rows->value().ToStringView()));
    }
    BOS_ROCKS(rows->status(), "read the key store");
    return {};
}

void KeyRows::Changes::put_key(const Uuid& id, const KeyRow& row) {
    put(key_key(id), row.to_bytes());
}

void KeyRows::Changes::put_assignment(std::string_view owner, const Uuid& id) {
    put(assignment_key(owner, id), {});
}

void KeyRows::Changes::forget_key(const Uuid& id) { must(batch_.Delete(key_key(id))); }

void KeyRows::Changes::destroy_key(const Uuid& id, std::string_view owner) {
    if (!owner.empty()) must(batch_.Delete(assignment_key(owner, id)));
    put(key_key(id), grave);
    put(purge_key(id), {});
}

void KeyRows::Changes::told(const Uuid& id) { put(purge_key(id), told_mark); }

void KeyRows::Changes::put_erased(std::string_view owner) { put(erased_key(owner), {}); }

void KeyRows::Changes::purged(const Uuid& id) { must(batch_.Delete(purge_key(id))); }

void KeyRows::Changes::put_tenant_secret(const TenantId& tenant, std::string_view wrapped) {
    put(tenant_key(tenant), wrapped);
}

void KeyRows::Changes::put_master_mark(std::string_view wrapped) { put(mark_key(), wrapped); }

void KeyRows::Changes::put_place(std::string_view place) { put(place_key(), place); }

void KeyRows::Changes::put(std::string_view key, std::string_view value) {
    must(batch_.Put(key, value));
}

Result<void> KeyRows::write(Changes changes, Durability durability) {
    std::uint64_t free = free_bytes_min;
    env_->GetFreeSpace(options_.path, &free).PermitUncheckedError();
    if (free < free_bytes_min) return fail(Code::unavailable, "the key store's disk is full");
    rocksdb::WriteOptions how;
    how.sync = durability == Durability::synced;
    // A sync makes all before it durable.
    const std::uint64_t before = db_->GetLatestSequenceNumber();
    const std::uint64_t count = changes.batch_.Count();
    const rocksdb::Status status = db_->Write(how, &changes.batch_);
    if (status.ok()) return how.sync ? note(*db_, before + count) : Result<void>();
    options_.fatal("the key store cannot be written: " + status.ToString());
    return failed(status, "write to the key store");
}

Result<void> KeyRows::sync() {
    BOS_ROCKS(db_->SyncWAL(), "sync the key store");
    return {};
}

Result<void> KeyRows::purge(std::span<const Uuid> ids) {
    if (ids.empty()) return {};
    BOS_ROCKS(db_->Flush({}), "flush the key store");
    rocksdb::CompactRangeOptions compact;
    compact.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    for (const Uuid& id : ids) {
        const std::string key = key_key(id);
        const rocksdb::Slice range = key;
        BOS_ROCKS(db_->CompactRange(compact, &range, &range), "purge a key");
    }
    return {};
}

Result<std::optional<std::string>> KeyRows::get(const std::string& key) const {
    std::string value;
    const rocksdb::Status status = db_->Get({}, key, &value);
    if (status.IsNotFound()) return std::nullopt;
    BOS_ROCKS(status, "read the key store");
    return value;
}

/// The ids that follow a prefix in the keys of rows.
Result<std::vector<Uuid>> KeyRows::ids_after(const std::string& prefix) const {
    const std::string end = after_prefix(prefix);
    const rocksdb::Slice upper_bound = end;
    rocksdb::ReadOptions read;
    read.iterate_upper_bound = &upper_bound;
    const std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator(read));
    std::vector<Uuid> ids;
    // With an id, the smallest there is: a filter knows whole keys by their owner.
    for (rows->Seek(prefix + std::string(id_bytes, '\0')); rows->Valid(); rows->Next()) {
        KeyReader reader(rows->key().ToStringView().substr(prefix.size()));
        Uuid id;
        if (!reader.uuid(id) || !reader.at_end()) {
            return fail(Code::corrupt, "a row of the key store is damaged");
        }
        ids.push_back(id);
    }
    BOS_ROCKS(rows->status(), "read the key store");
    return ids;
}

}  // namespace bos::eventstore
