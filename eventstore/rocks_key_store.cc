#include "eventstore/rocks_key_store.h"

#include "eventstore/key_rows.h"
#include "eventstore/key_wrapping.h"
#include "eventstore/master_key.h"
#include "eventstore/this_thread.h"

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>

namespace bos::eventstore {

/// Rows, and what their secrets are; knows nothing of the pool.
///
/// Thread-safe.
class RocksKeyStore::Rows {
  public:
    static Result<std::unique_ptr<Rows>> open(const RocksKeyStoreOptions& options) {
        const KeyRows::Options of_rows{
            .path = options.path, .env = options.env, .fatal = options.fatal};
        BOS_TRY(const std::optional<MasterKey> found, find_master_key(options, of_rows));
        BOS_TRY(auto stored, KeyRows::open(of_rows));
        BOS_TRY(const MasterKey master,
                found ? Result<MasterKey>(*found) : make_master_key(options, *stored));
        std::unique_ptr<Rows> rows(new Rows(std::move(stored), master));
        BOS_CHECK(rows->check_kind(options.path));
        BOS_CHECK(rows->check_master_key(options.path));
        BOS_CHECK(rows->purge());
        return rows;
    }

    /// The subject's key, if it has one. Errors: not_found = erased.
    [[nodiscard]] Result<std::optional<SubjectKey>> key_of(const TenantId& tenant,
                                                           const std::string& owner) const {
        BOS_TRY(const std::vector<Uuid> ids, stored_->keys_of(owner));
        if (!ids.empty()) {
            BOS_TRY(SubjectKey key, find(tenant, ids.front()));
            return key;
        }
        BOS_TRY(const bool erased, stored_->is_erased(owner));
        if (erased) return fail(Code::not_found, "the subject was erased");
        return std::nullopt;
    }

    /// A key that is somebody's, or was.
    [[nodiscard]] Result<SubjectKey> find(const TenantId& tenant, const Uuid& id) const {
        BOS_TRY(const auto row, stored_->key(id));
        const bool assigned = row && (row->destroyed() || !row->owner.empty());
        if (!assigned) return key_is_lost(id);
        return wrapping_.open(tenant, id, *row);
    }

    /// New keys without an owner, durable when this returns.
    [[nodiscard]] Result<std::vector<SubjectKey>> make_keys(std::size_t count) {
        std::vector<SubjectKey> keys;
        KeyRows::Changes changes;
        for (std::size_t i = 0; i < count; ++i) {
            const SubjectKey& key = keys.emplace_back(wrapping_.new_key());
            changes.put_key(key.id, wrapping_.row_of(key, {}));
        }
        BOS_CHECK(stored_->write(std::move(changes), KeyRows::Durability::synced));
        return keys;
    }

    /// Makes unowned keys their subjects'; durable after the next sync().
    [[nodiscard]] Result<void> assign(const Assignments& assignments) {
        if (assignments.empty()) return {};
        KeyRows::Changes changes;
        for (const auto& [owner, key] : assignments) {
            changes.put_key(key.id, wrapping_.row_of(key, owner));
            changes.put_assignment(owner, key.id);
        }
        return stored_->write(std::move(changes), KeyRows::Durability::written);
    }

    /// Leaves no key and a tombstone, durable when this returns.
    [[nodiscard]] Result<void> erase(const std::string& owner) {
        BOS_TRY(const std::vector<Uuid> ids, stored_->keys_of(owner));
        KeyRows::Changes changes;
        for (const Uuid& id : ids) changes.destroy_key(id, owner);
        changes.put_erased(owner);
        return stored_->write(std::move(changes), KeyRows::Durability::synced);
    }

    /// Removes the bytes of erased keys from the database's files; goes on where a crash ended it.
    [[nodiscard]] Result<void> purge() {
        BOS_TRY(const std::vector<Uuid> ids, stored_->to_purge());
        if (ids.empty()) return {};
        BOS_CHECK(stored_->purge(ids));
        KeyRows::Changes changes;
        for (const Uuid& id : ids) changes.purged(id);
        return stored_->write(std::move(changes), KeyRows::Durability::written);
    }

    [[nodiscard]] Result<std::optional<std::string>> tenant_secret(const TenantId& tenant) const {
        BOS_TRY(const auto wrapped, stored_->tenant_secret(tenant));
        if (!wrapped) return std::nullopt;
        return wrapping_.open_tenant_secret(tenant, *wrapped);
    }

    [[nodiscard]] Result<std::string> make_tenant_secret(const TenantId& tenant) {
        const std::string wrapped = wrapping_.new_tenant_secret(tenant);
        KeyRows::Changes changes;
        changes.put_tenant_secret(tenant, wrapped);
        BOS_CHECK(stored_->write(std::move(changes), KeyRows::Durability::synced));
        return wrapping_.open_tenant_secret(tenant, wrapped);
    }

    [[nodiscard]] Result<void> sync() { return stored_->sync(); }

    /// Takes away keys that were never given out.
    void forget(std::span<const SubjectKey> keys) {
        KeyRows::Changes changes;
        for (const SubjectKey& key : keys) changes.forget_key(key.id);
        // Else they stay as after a crash: unused.
        static_cast<void>(stored_->write(std::move(changes), KeyRows::Durability::written));
    }

  private:
    Rows(std::unique_ptr<KeyRows> stored, const MasterKey& master)
        : stored_(std::move(stored)), wrapping_(master) {}

    /// None: there is no such file, and a key store may be made with a new one.
    [[nodiscard]] static Result<std::optional<MasterKey>> find_master_key(
        const RocksKeyStoreOptions& options, const KeyRows::Options& of_rows) {
        const std::string& path = options.master_key;
        BOS_TRY(const bool has_rows, KeyRows::exist(of_rows));
        Result<MasterKey> master = MasterKey::load(path);
        if (!master && master.error().code == Code::not_found) return std::nullopt;
        if (master && !has_rows) {
            return fail(
                Code::corrupt,
                "the master key " + path + " is there, its key store in " + options.path +
                    " is not. To do: restore the key store from its backup. Only if nothing was "
                    "ever stored with this master key: remove it");
        }
        if (!master) return std::unexpected(master.error());
        return *master;
    }

    /// The rows come first: a start that ends before it has noted a master key with them, which is
    /// before anything is wrapped, can be repeated.
    [[nodiscard]] static Result<MasterKey> make_master_key(const RocksKeyStoreOptions& options,
                                                           const KeyRows& stored) {
        const std::string& path = options.master_key;
        BOS_TRY(const auto mark, stored.master_mark());
        if (mark) {
            return fail(Code::corrupt, "the key store in " + options.path +
                                           " is there, its master key " + path +
                                           " is not. To do: restore the master key from its "
                                           "backup; without it no personal field can be read");
        }
        SystemRandom random;
        return MasterKey::create(path, random);
    }

    /// A copy of shared keys that is written to by itself would go its own way.
    [[nodiscard]] Result<void> check_kind(const std::string& path) const {
        BOS_TRY(const auto place, stored_->place());
        if (!place) return {};
        return fail(Code::invalid, path + " is a copy of keys that are on Kafka");
    }

    [[nodiscard]] Result<void> check_master_key(const std::string& path) {
        BOS_TRY(const auto mark, stored_->master_mark());
        if (!mark) {
            KeyRows::Changes changes;
            changes.put_master_mark(wrapping_.new_master_mark());
            return stored_->write(std::move(changes), KeyRows::Durability::synced);
        }
        if (wrapping_.is_master_of(*mark)) return {};
        return fail(Code::corrupt, "the key store in " + path +
                                       " was written with another master key. To do: put the right "
                                       "one in its place");
    }

    // Constant after construction.
    const std::unique_ptr<KeyRows> stored_;
    KeyWrapping wrapping_;
};

Result<std::unique_ptr<RocksKeyStore>> RocksKeyStore::open(RocksKeyStoreOptions options) {
    if (options.master_key.empty()) {
        options.master_key =
            (std::filesystem::path(options.path).parent_path() / "master.key").string();
    }
    options.pool_keys = std::max<std::size_t>(options.pool_keys, 1);
    BOS_TRY(auto rows, Rows::open(options));
    BOS_TRY(std::vector<SubjectKey> pool, rows->make_keys(options.pool_keys));
    return std::unique_ptr<RocksKeyStore>(
        new RocksKeyStore(std::move(options), std::move(rows), std::move(pool)));
}

RocksKeyStore::RocksKeyStore(RocksKeyStoreOptions options, std::unique_ptr<Rows> rows,
                             std::vector<SubjectKey> pool)
    : options_(std::move(options)), rows_(std::move(rows)), pool_(std::move(pool)) {
    if (options_.keeper) keeper_ = std::thread([this] { keep_ready(); });
}

RocksKeyStore::~RocksKeyStore() {
    {
        const std::lock_guard lock(wake_mutex_);
        stopping_ = true;
    }
    woken_.notify_one();
    if (keeper_.joinable()) keeper_.join();
    // Where it fails no record names these keys.
    static_cast<void>(sync());
    rows_->forget(pool_);
}

Result<SubjectKey> RocksKeyStore::key_for(const TenantId& tenant, const StreamId& subject) {
    const std::string owner = subject_bytes(tenant, subject);
    if (const auto cached = cache_.of_subject(owner)) return *cached;
    const std::uint64_t read_at = cache_.erasures();
    Result<SubjectKey> key = known_or_assigned(tenant, owner);
    if (key) cache_.put(read_at, owner, tenant, *key);
    return key;
}

Result<SubjectKey> RocksKeyStore::known_or_assigned(const TenantId& tenant,
                                                    const std::string& owner) {
    // Who asks for a key that is not in memory mostly has a new subject: one look, under the lock
    // that an assignment needs anyway.
    const std::lock_guard lock(mutex_);
    for (const Assignments* assignments : {&given_, &writing_}) {
        if (const auto found = assignments->find(owner); found != assignments->end())
            return found->second;
    }
    BOS_TRY(std::optional<SubjectKey> known, rows_->key_of(tenant, owner));
    if (known) return *known;
    if (pool_.empty()) {
        BOS_TRY(pool_, rows_->make_keys(options_.pool_keys));
    }
    const SubjectKey key = pool_.back();
    pool_.pop_back();
    // The keeper begins with the first one at once. Those that come while it syncs are taken along
    // by whoever needs them durable: a sync for each of them would only be in the log's way.
    const bool idle = given_.empty() && writing_.empty();
    given_.emplace(owner, key);
    ++started_;
    if (idle || pool_.size() <= options_.pool_keys / 2) wake();
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
        writing_.swap(given_);
    }
    BOS_CHECK(write_assignments());
    BOS_CHECK(rows_->sync());
    synced_ = written;
    return {};
}

/// With sync_mutex_ held. Those that cannot be written are tried again by the next sync.
Result<void> RocksKeyStore::write_assignments() {
    Result<void> written = rows_->assign(writing_);
    const std::lock_guard lock(mutex_);
    if (!written) given_.merge(writing_);
    writing_.clear();
    return written;
}

Result<SubjectKey> RocksKeyStore::find(const TenantId& tenant, const Uuid& key_id) const {
    if (const auto cached = cache_.find(tenant, key_id)) return *cached;
    const std::uint64_t read_at = cache_.erasures();
    Result<SubjectKey> key = rows_->find(tenant, key_id);
    if (!key && key.error().code == Code::corrupt) key = unwritten(tenant, key_id);
    if (key) cache_.put(read_at, tenant, *key);
    return key;
}

/// A key that the rows do not know as anyone's.
Result<SubjectKey> RocksKeyStore::unwritten(const TenantId& tenant, const Uuid& key_id) const {
    const std::lock_guard lock(mutex_);
    for (const Assignments* assignments : {&given_, &writing_}) {
        const auto found = std::ranges::find(
            *assignments, key_id, [](const auto& assignment) { return assignment.second.id; });
        if (found == assignments->end()) continue;
        if (is_of(tenant, found->first)) return found->second;
        return fail(Code::not_found, "no key " + to_string(key_id));
    }
    return rows_->find(tenant, key_id);  // written between the two looks, or lost
}

Result<void> RocksKeyStore::destroy(const TenantId& tenant, const StreamId& subject) {
    {
        const std::scoped_lock lock(sync_mutex_, mutex_);
        BOS_CHECK(rows_->assign(given_));
        given_.clear();
        BOS_CHECK(rows_->erase(subject_bytes(tenant, subject)));
        cache_.forget();
    }
    const std::lock_guard lock(erase_mutex_);
    return rows_->purge();
}

Result<std::string> RocksKeyStore::tenant_secret(const TenantId& tenant) {
    if (auto cached = cache_.secret_of(tenant)) return *std::move(cached);
    BOS_TRY(std::string secret, stored_tenant_secret(tenant));
    cache_.put_secret(tenant, secret);
    return secret;
}

Result<std::string> RocksKeyStore::stored_tenant_secret(const TenantId& tenant) {
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
    this_thread_is("key keeper");
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
    const Result<std::vector<SubjectKey>> made = rows_->make_keys(options_.pool_keys);
    if (!made) return;
    const std::lock_guard lock(mutex_);
    pool_.insert(pool_.end(), made->begin(), made->end());
}

}  // namespace bos::eventstore
