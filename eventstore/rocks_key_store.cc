#include "eventstore/rocks_key_store.h"

#include "eventstore/durable_file.h"
#include "eventstore/fail_stop_fs.h"
#include "eventstore/master_key.h"
#include "eventstore/rocks_status.h"
#include "schemas/base/keys.h"

#include <openssl/crypto.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <span>
#include <utility>

namespace bos::eventstore {

namespace {

constexpr std::size_t secret_bytes = 32;
constexpr std::size_t wrapped_bytes = secret_bytes + wrap_overhead_bytes;
constexpr std::string_view store_mark = "bos key store 1";
// Below this nothing is written: a database that met a full disk could not go on.
constexpr std::uint64_t free_bytes_min = 64 * 1024 * 1024;

std::string subject_bytes(const TenantId& tenant, const StreamId& subject) {
    return KeyWriter().text(tenant.value()).u16(subject.type).uuid(subject.id).take();
}

std::string store_key() { return KeyWriter().u8('m').take(); }
std::string key_key(const Uuid& id) { return KeyWriter().u8('k').uuid(id).take(); }
std::string purge_key(const Uuid& id) { return KeyWriter().u8('d').uuid(id).take(); }
std::string assignments_of(std::string_view subject) {
    return KeyWriter().u8('a').raw(subject).take();
}
std::string assignment_key(std::string_view subject, const Uuid& id) {
    return KeyWriter().u8('a').raw(subject).uuid(id).take();
}
std::string erased_key(std::string_view subject) { return KeyWriter().u8('x').raw(subject).take(); }
std::string tenant_key(const TenantId& tenant) {
    return KeyWriter().u8('s').text(tenant.value()).take();
}

std::string new_secret(Random& random) {
    std::array<std::uint8_t, secret_bytes> bytes;
    random.fill(bytes);
    std::string secret(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    ::OPENSSL_cleanse(bytes.data(), bytes.size());
    return secret;
}

void wipe(std::string& secret) { ::OPENSSL_cleanse(secret.data(), secret.size()); }

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
    return options;
}

enum class Durability { written, synced };

}  // namespace

/// The database and what its rows mean; knows nothing of the pool.
///
/// Thread-safe.
class RocksKeyStore::Rows {
  public:
    static Result<std::unique_ptr<Rows>> open(const RocksKeyStoreOptions& options) {
        auto env =
            fail_stop_env(options.env ? *options.env : *rocksdb::Env::Default(), options.fatal);
        BOS_TRY(const MasterKey master, master_key_for(options, *env));
        rocksdb::DB* db = nullptr;
        BOS_ROCKS(rocksdb::DB::Open(database_options(*env), options.path, &db),
                  "open the key store in " + options.path);
        std::unique_ptr<Rows> rows(
            new Rows(options, std::move(env), std::unique_ptr<rocksdb::DB>(db), master));
        BOS_CHECK(sync_parent_folder(*rows->env_, options.path));
        BOS_CHECK(rows->check_master_key());
        BOS_CHECK(rows->purge());
        return rows;
    }

    /// The subject's key, if it has one. Errors: not_found = erased.
    [[nodiscard]] Result<std::optional<SubjectKey>> key_of(const TenantId& tenant,
                                                           const StreamId& subject) const {
        const std::string owner = subject_bytes(tenant, subject);
        BOS_TRY(const std::vector<Uuid> ids, key_ids_of(owner));
        if (!ids.empty()) {
            BOS_TRY(SubjectKey key, find(tenant, ids.front()));
            return key;
        }
        BOS_TRY(const auto erased, get(erased_key(owner)));
        if (erased) return fail(Code::not_found, "the subject was erased");
        return std::nullopt;
    }

    [[nodiscard]] Result<SubjectKey> find(const TenantId& tenant, const Uuid& id) const {
        BOS_TRY(const auto row, get(key_key(id)));
        if (!row) return fail(Code::not_found, "no key " + to_string(id));
        if (row->size() < wrapped_bytes)
            return fail(Code::corrupt, "key " + to_string(id) + " is damaged");
        const std::string_view owner = std::string_view(*row).substr(wrapped_bytes);
        if (!owner.empty() && !owner.starts_with(KeyWriter().text(tenant.value()).bytes())) {
            return fail(Code::not_found, "no key " + to_string(id));
        }
        BOS_TRY(
            std::string secret,
            master_.unwrap(place_of(id, owner), std::string_view(*row).substr(0, wrapped_bytes)));
        SubjectKey key;
        key.id = id;
        if (secret.size() != key.secret.size())
            return fail(Code::corrupt, "a key has a wrong length");
        std::memcpy(key.secret.data(), secret.data(), key.secret.size());
        wipe(secret);
        return key;
    }

    /// New keys without an owner, durable when this returns.
    [[nodiscard]] Result<std::vector<Uuid>> make_keys(std::size_t count) {
        std::vector<Uuid> ids(count);
        rocksdb::WriteBatch batch;
        for (Uuid& id : ids) {
            random_.fill(id.bytes);
            std::string secret = new_secret(random_);
            BOS_ROCKS(batch.Put(key_key(id), master_.wrap(place_of(id, {}), secret, random_)),
                      "add keys");
            wipe(secret);
        }
        BOS_CHECK(write(batch, Durability::synced));
        return ids;
    }

    /// Makes an unowned key the subject's; durable after the next sync_wal().
    [[nodiscard]] Result<SubjectKey> assign(const TenantId& tenant, const StreamId& subject,
                                            const Uuid& id) {
        BOS_TRY(SubjectKey key, find(tenant, id));
        const std::string owner = subject_bytes(tenant, subject);
        const std::string_view secret(reinterpret_cast<const char*>(key.secret.data()),
                                      key.secret.size());
        rocksdb::WriteBatch batch;
        BOS_ROCKS(
            batch.Put(key_key(id), master_.wrap(place_of(id, owner), secret, random_) + owner),
            "assign a key");
        BOS_ROCKS(batch.Put(assignment_key(owner, id), rocksdb::Slice()), "assign a key");
        BOS_CHECK(write(batch, Durability::written));
        return key;
    }

    /// Leaves no key and a tombstone, durable when this returns.
    [[nodiscard]] Result<void> erase(const TenantId& tenant, const StreamId& subject) {
        const std::string owner = subject_bytes(tenant, subject);
        BOS_TRY(const std::vector<Uuid> ids, key_ids_of(owner));
        rocksdb::WriteBatch batch;
        for (const Uuid& id : ids) {
            BOS_ROCKS(batch.Delete(assignment_key(owner, id)), "erase a subject");
            BOS_ROCKS(batch.Delete(key_key(id)), "erase a subject");
            BOS_ROCKS(batch.Put(purge_key(id), rocksdb::Slice()), "erase a subject");
        }
        BOS_ROCKS(batch.Put(erased_key(owner), rocksdb::Slice()), "erase a subject");
        return write(batch, Durability::synced);
    }

    /// Removes the bytes of erased keys from the database's files; goes on where a crash ended it.
    [[nodiscard]] Result<void> purge() {
        BOS_TRY(const std::vector<Uuid> ids, ids_after(KeyWriter().u8('d').take()));
        if (ids.empty()) return {};
        BOS_ROCKS(db_->Flush({}), "flush the key store");
        rocksdb::CompactRangeOptions compact;
        compact.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
        rocksdb::WriteBatch batch;
        for (const Uuid& id : ids) {
            const std::string key = key_key(id);
            const rocksdb::Slice range = key;
            BOS_ROCKS(db_->CompactRange(compact, &range, &range), "purge a key");
            BOS_ROCKS(batch.Delete(purge_key(id)), "purge a key");
        }
        return write(batch, Durability::written);
    }

    [[nodiscard]] Result<std::optional<std::string>> tenant_secret(const TenantId& tenant) const {
        const std::string place = tenant_key(tenant);
        BOS_TRY(const auto row, get(place));
        if (!row) return std::nullopt;
        return master_.unwrap(place, *row);
    }

    [[nodiscard]] Result<std::string> make_tenant_secret(const TenantId& tenant) {
        const std::string place = tenant_key(tenant);
        std::string secret = new_secret(random_);
        rocksdb::WriteBatch batch;
        BOS_ROCKS(batch.Put(place, master_.wrap(place, secret, random_)), "add a tenant's secret");
        BOS_CHECK(write(batch, Durability::synced));
        return secret;
    }

    [[nodiscard]] Result<void> sync_wal() {
        BOS_ROCKS(db_->SyncWAL(), "sync the key store");
        return {};
    }

    /// Takes away keys that were never given out.
    void forget(std::span<const Uuid> ids) {
        rocksdb::WriteBatch batch;
        for (const Uuid& id : ids) batch.Delete(key_key(id)).PermitUncheckedError();
        db_->Write({}, &batch).PermitUncheckedError();  // else they stay as after a crash: unused
    }

  private:
    Rows(const RocksKeyStoreOptions& options, std::unique_ptr<rocksdb::Env> env,
         std::unique_ptr<rocksdb::DB> db, const MasterKey& master)
        : path_(options.path),
          fatal_(options.fatal),
          env_(std::move(env)),
          db_(std::move(db)),
          master_(master) {}

    [[nodiscard]] static Result<MasterKey> master_key_for(const RocksKeyStoreOptions& options,
                                                          rocksdb::Env& env) {
        const std::string& path = options.master_key;
        const rocksdb::Status status = env.FileExists(options.path + "/CURRENT");
        if (!status.IsNotFound()) BOS_ROCKS(status, "look for a key store in " + options.path);
        Result<MasterKey> master = MasterKey::load(path);
        if (status.ok() && !master && master.error().code == Code::not_found) {
            return fail(Code::corrupt, "the key store in " + options.path +
                                           " is there, its master key " + path +
                                           " is not. To do: restore the master key from its "
                                           "backup; without it no personal field can be read");
        }
        if (status.ok() || (!master && master.error().code != Code::not_found)) return master;
        if (master) {
            return fail(
                Code::corrupt,
                "the master key " + path + " is there, its key store in " + options.path +
                    " is not. To do: restore the key store from its backup. Only if nothing was "
                    "ever stored with this master key: remove it");
        }
        SystemRandom random;
        return MasterKey::create(path, random);
    }

    [[nodiscard]] Result<void> check_master_key() {
        BOS_TRY(const auto row, get(store_key()));
        if (!row) {
            rocksdb::WriteBatch batch;
            BOS_ROCKS(batch.Put(store_key(), master_.wrap(store_key(), store_mark, random_)),
                      "mark the key store");
            return write(batch, Durability::synced);
        }
        if (master_.unwrap(store_key(), *row) != Result<std::string>(store_mark)) {
            return fail(Code::corrupt,
                        "the key store in " + path_ +
                            " was written with another master key. To do: put the right "
                            "one in its place");
        }
        return {};
    }

    /// Where a wrapped key stands, so that a row copied elsewhere does not open.
    static std::string place_of(const Uuid& id, std::string_view owner) {
        return KeyWriter().u8('k').uuid(id).raw(owner).take();
    }

    [[nodiscard]] Result<std::optional<std::string>> get(const std::string& key) const {
        std::string value;
        const rocksdb::Status status = db_->Get({}, key, &value);
        if (status.IsNotFound()) return std::nullopt;
        BOS_ROCKS(status, "read the key store");
        return value;
    }

    [[nodiscard]] Result<std::vector<Uuid>> key_ids_of(std::string_view owner) const {
        return ids_after(assignments_of(owner));
    }

    /// The ids that follow a prefix in the keys of rows.
    [[nodiscard]] Result<std::vector<Uuid>> ids_after(const std::string& prefix) const {
        const std::string end = after_prefix(prefix);
        const rocksdb::Slice upper_bound = end;
        rocksdb::ReadOptions read;
        read.iterate_upper_bound = &upper_bound;
        const std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator(read));
        std::vector<Uuid> ids;
        for (rows->Seek(prefix); rows->Valid(); rows->Next()) {
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

    [[nodiscard]] Result<void> write(rocksdb::WriteBatch& batch, Durability durability) {
        std::uint64_t free = free_bytes_min;
        env_->GetFreeSpace(path_, &free).PermitUncheckedError();
        if (free < free_bytes_min) return fail(Code::unavailable, "the key store's disk is full");
        rocksdb::WriteOptions options;
        options.sync = durability == Durability::synced;
        const rocksdb::Status status = db_->Write(options, &batch);
        if (status.ok()) return {};
        fatal_("the key store cannot be written: " + status.ToString());
        return failed(status, "write to the key store");
    }

    // Constant after construction.
    const std::string path_;
    const Fatal fatal_;
    const std::unique_ptr<rocksdb::Env> env_;
    const std::unique_ptr<rocksdb::DB> db_;
    const MasterKey master_;
    SystemRandom random_;  // Thread-safe
};

Result<std::unique_ptr<RocksKeyStore>> RocksKeyStore::open(RocksKeyStoreOptions options) {
    if (options.master_key.empty()) {
        options.master_key =
            (std::filesystem::path(options.path).parent_path() / "master.key").string();
    }
    options.pool_keys = std::max<std::size_t>(options.pool_keys, 1);
    BOS_TRY(auto rows, Rows::open(options));
    BOS_TRY(std::vector<Uuid> pool, rows->make_keys(options.pool_keys));
    return std::unique_ptr<RocksKeyStore>(
        new RocksKeyStore(std::move(options), std::move(rows), std::move(pool)));
}

RocksKeyStore::RocksKeyStore(RocksKeyStoreOptions options, std::unique_ptr<Rows> rows,
                             std::vector<Uuid> pool)
    : options_(std::move(options)),
      rows_(std::move(rows)),
      pool_(std::move(pool)),
      keeper_([this] { keep_ready(); }) {}

RocksKeyStore::~RocksKeyStore() {
    {
        const std::lock_guard lock(wake_mutex_);
        stopping_ = true;
    }
    woken_.notify_one();
    keeper_.join();
    rows_->forget(pool_);
}

Result<SubjectKey> RocksKeyStore::key_for(const TenantId& tenant, const StreamId& subject) {
    BOS_TRY(std::optional<SubjectKey> known, rows_->key_of(tenant, subject));
    if (known) return *known;
    return assign(tenant, subject);
}

Result<SubjectKey> RocksKeyStore::assign(const TenantId& tenant, const StreamId& subject) {
    const std::lock_guard lock(mutex_);
    // Another thread may have been faster, or have erased the subject.
    BOS_TRY(std::optional<SubjectKey> known, rows_->key_of(tenant, subject));
    if (known) return *known;
    if (pool_.empty()) {
        BOS_TRY(pool_, rows_->make_keys(options_.pool_keys));
    }
    const Uuid id = pool_.back();
    pool_.pop_back();  // before it is tried: a key of a failed assignment is not given out again
    ++started_;        // before the row can be read: whoever reads it must wait for its sync
    BOS_TRY(SubjectKey key, rows_->assign(tenant, subject, id));
    wake();
    return key;
}

Result<void> RocksKeyStore::sync() {
    const std::uint64_t wanted = started_;
    if (synced_ >= wanted) return {};
    const std::lock_guard lock(sync_mutex_);
    if (synced_ >= wanted) return {};  // the sync before this one took them along
    std::uint64_t written = 0;
    {
        const std::lock_guard no_assignment_half_way(mutex_);
        written = started_;
    }
    BOS_CHECK(rows_->sync_wal());
    synced_ = written;
    return {};
}

Result<SubjectKey> RocksKeyStore::find(const TenantId& tenant, const Uuid& key_id) const {
    return rows_->find(tenant, key_id);
}

Result<void> RocksKeyStore::destroy(const TenantId& tenant, const StreamId& subject) {
    {
        const std::lock_guard lock(mutex_);
        BOS_CHECK(rows_->erase(tenant, subject));
    }
    const std::lock_guard lock(erase_mutex_);
    return rows_->purge();
}

Result<std::string> RocksKeyStore::tenant_secret(const TenantId& tenant) {
    BOS_TRY(std::optional<std::string> known, rows_->tenant_secret(tenant));
    if (known) return *std::move(known);
    const std::lock_guard lock(mutex_);
    BOS_TRY(known, rows_->tenant_secret(tenant));
    if (known) return *std::move(known);
    return rows_->make_tenant_secret(tenant);
}

void RocksKeyStore::wake() {
    {
        const std::lock_guard lock(wake_mutex_);
        work_ = true;
    }
    woken_.notify_one();
}

void RocksKeyStore::keep_ready() {
    std::unique_lock lock(wake_mutex_);
    while (true) {
        woken_.wait(lock, [this] { return work_ || stopping_; });
        if (stopping_) return;
        work_ = false;
        lock.unlock();
        // Whoever needs the outcome asks again and gets the error itself.
        static_cast<void>(sync());
        refill_pool();
        lock.lock();
    }
}

void RocksKeyStore::refill_pool() {
    {
        const std::lock_guard lock(mutex_);
        if (pool_.size() > options_.pool_keys / 2) return;
    }
    // Without the lock: assignments go on while new keys are synced.
    const Result<std::vector<Uuid>> made = rows_->make_keys(options_.pool_keys);
    if (!made) return;
    const std::lock_guard lock(mutex_);
    pool_.insert(pool_.end(), made->begin(), made->end());
}

}  // namespace bos::eventstore
