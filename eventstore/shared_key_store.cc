#include "eventstore/shared_key_store.h"

#include "eventstore/master_key.h"
#include "eventstore/this_thread.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace bos::eventstore {

namespace {

using kafka::SharedTopic;

constexpr std::size_t portion = 4096;  // rows written at a time when keys are moved
constexpr auto bury_again_after = std::chrono::seconds(10);
constexpr auto take_back_for = std::chrono::milliseconds(500);

std::unexpected<Error> no_key(const Uuid& id) {
    return fail(Code::not_found, "no key " + to_string(id));
}

/// What may have been written or not is, to those who need it, not there yet.
std::unexpected<Error> not_yet(const Error& error) {
    return fail(error.code == Code::unknown ? Code::unavailable : error.code, error.detail);
}

std::unexpected<Error> not_durable() { return fail(Code::unavailable, "a key is not durable yet"); }

}  // namespace

Result<std::unique_ptr<SharedKeyStore>> SharedKeyStore::open(SharedKeyStoreOptions options) {
    options.topic.keep = SharedTopic::Keep::newest_of_key;
    options.pool_keys = std::max<std::size_t>(options.pool_keys, 1);
    BOS_TRY(auto rows,
            KeyRows::open({.path = options.path, .env = options.env, .fatal = options.fatal}));
    std::unique_ptr<SharedKeyStore> store(new SharedKeyStore(std::move(options), std::move(rows)));
    BOS_CHECK(store->start());
    return store;
}

Result<void> SharedKeyStore::start() {
    BOS_TRY(const auto stored, rows_->place());
    std::optional<SharedTopic::Place> place;
    if (stored) {
        place = SharedTopic::parse_place(*stored);
        if (!place) {
            return fail(Code::corrupt, "the copy of the shared keys in " + options_.path +
                                           " is damaged. To do: delete the folder; it is filled "
                                           "again");
        }
    }
    BOS_TRY(topic_, SharedTopic::open(options_.topic, place,
                                      [this](std::span<const SharedTopic::Record> records,
                                             const SharedTopic::Place& behind) {
                                          return apply(records, behind);
                                      }));
    BOS_CHECK(load_master_key());
    keeper_ = std::thread([this] { keep(); });
    wake();  // what a crash left to be purged
    return {};
}

Result<void> SharedKeyStore::load_master_key() {
    const std::string& path = options_.master_key;
    BOS_TRY(auto mark, rows_->master_mark());
    Result<MasterKey> master = MasterKey::load(path);
    if (!master && master.error().code == Code::not_found) {
        if (mark) {
            return fail(Code::corrupt,
                        fmt::format("the keys in {} are there, their master key {} is not. To do: "
                                    "copy the master key from another node, or from its backup, or "
                                    "name its file with --master-key; without it no personal field "
                                    "can be read",
                                    topic_->name(), path));
        }
        SystemRandom random;
        master = MasterKey::create(path, random);
    }
    if (!master) return std::unexpected(master.error());
    wrapping_.emplace(*master);
    if (!mark) {
        std::vector<shared_keys::Row> rows{
            shared_keys::master_mark(wrapping_->new_id(), wrapping_->new_master_mark())};
        BOS_CHECK(write(std::move(rows)));
        BOS_TRY(mark, rows_->master_mark());  // ours, or that of a node that was faster
    }
    return check_master_key(mark.value_or(""));
}

Result<void> SharedKeyStore::check_master_key(std::string_view mark) const {
    if (wrapping_->is_master_of(mark)) return {};
    return fail(
        Code::corrupt,
        fmt::format("the keys in {} are wrapped with another master key than {}. To do: put "
                    "that of the other nodes in its place, or name its file with "
                    "--master-key",
                    topic_->name(), options_.master_key));
}

SharedKeyStore::~SharedKeyStore() {
    if (keeper_.joinable()) {
        {
            const std::lock_guard lock(wake_mutex_);
            stopping_ = true;
        }
        woken_.notify_one();
        keeper_.join();
    }
    // Nobody needs them any more; after a crash they stay, unused.
    if (topic_) {
        for (const SubjectKey& key : pool_) take_back(shared_keys::no_key(key.id));
        if (!pool_.empty()) topic_->flush(take_back_for);
    }
    topic_.reset();
}

// --- keys of subjects --------------------------------------------------------------------------

Result<SubjectKey> SharedKeyStore::key_for(const TenantId& tenant, const StreamId& subject) {
    const std::string owner = subject_bytes(tenant, subject);
    if (const auto cached = cache_.of_subject(owner)) return *cached;
    const std::uint64_t read_at = cache_.erasures();
    BOS_TRY(const std::optional<SubjectKey> stored, stored_key_of(tenant, owner));
    Result<SubjectKey> key = stored ? Result<SubjectKey>(*stored) : assign(tenant, owner);
    if (key) cache_.put(read_at, owner, tenant, *key);
    return key;
}

/// Errors: not_found = erased.
Result<std::optional<SubjectKey>> SharedKeyStore::stored_key_of(const TenantId& tenant,
                                                                std::string_view owner) const {
    BOS_TRY(const std::vector<Uuid> ids, rows_->keys_of(owner));
    for (const Uuid& id : ids) {
        BOS_TRY(const std::optional<KeyRow> row, rows_->key(id));
        if (!row || row->destroyed()) continue;  // just now: the look at the subject tells
        BOS_TRY(SubjectKey key, wrapping_->open(tenant, id, *row));
        return key;
    }
    BOS_TRY(const bool erased, rows_->is_erased(owner));
    if (erased) return fail(Code::not_found, "the subject was erased");
    return std::nullopt;
}

/// With mutex_ held.
Result<std::optional<SubjectKey>> SharedKeyStore::known_key_of(const TenantId& tenant,
                                                               const std::string& owner) const {
    if (const auto given = given_.find(owner); given != given_.end()) return given->second;
    return stored_key_of(tenant, owner);
}

Result<SubjectKey> SharedKeyStore::assign(const TenantId& tenant, const std::string& owner) {
    {
        const std::lock_guard lock(mutex_);
        BOS_TRY(const std::optional<SubjectKey> known, known_key_of(tenant, owner));
        if (known) return *known;
    }
    BOS_TRY(SubjectKey key, take_from_pool());
    bool low = false;
    {
        const std::lock_guard lock(mutex_);
        // Another thread may have been faster, or the subject may have been erased.
        const auto known = known_key_of(tenant, owner);
        if (!known || *known) {
            pool_.push_back(key);
            if (!known) return std::unexpected(known.error());
            return **known;
        }
        given_.emplace(owner, key);
        owners_.emplace(key.id, owner);
        const std::uint64_t number = ++assignments_;
        Assignment assignment{
            .tenant = tenant, .key = key.id, .row = wrapping_->row_of(key, owner)};
        ++undurable_;  // before anyone can see the key: whoever has it must wait for it
        send(number, under_way_.emplace(number, std::move(assignment)).first->second);
        low = pool_.size() <= options_.pool_keys / 2;
    }
    if (low) wake();
    return key;
}

/// With mutex_ held; the outcome comes on the topic's thread.
void SharedKeyStore::send(std::uint64_t number, Assignment& assignment) {
    const Result<void> taken = topic_->append(
        shared_keys::key(assignment.key, assignment.row),
        [this, number](const Result<Offset>& outcome) { sent(number, outcome.has_value()); });
    assignment.lost = !taken;
}

void SharedKeyStore::sent(std::uint64_t number, bool durable) {
    std::vector<Synced> told;
    {
        const std::lock_guard lock(mutex_);
        const auto found = under_way_.find(number);
        if (found == under_way_.end()) return;
        found->second.lost = !durable;
        if (durable) {
            under_way_.erase(found);
            --undurable_;
        }
        told = waiters_of(number, durable);
    }
    settled_.notify_all();
    for (Synced& done : told) done(durable ? Result<void>() : not_durable());
}

/// With mutex_ held: who waited for this one and, if it is durable, for none but it.
std::vector<KeyStore::Synced> SharedKeyStore::waiters_of(std::uint64_t number, bool durable) {
    std::vector<Synced> told;
    std::erase_if(waiters_, [&](Waiter& waiter) {
        if (waiter.numbers.erase(number) == 0) return false;
        if (durable && !waiter.numbers.empty()) return false;
        told.push_back(std::move(waiter.done));
        return true;
    });
    return told;
}

void SharedKeyStore::when_synced(const TenantId& tenant, Synced done) {
    if (undurable_ == 0) return done({});
    Result<void> known;
    {
        const std::lock_guard lock(mutex_);
        Waiter waiter{.numbers = {}, .done = {}};
        for (auto& [number, assignment] : under_way_) {
            if (assignment.tenant != tenant) continue;
            // Written twice they say the same thing.
            if (assignment.lost) send(number, assignment);
            if (assignment.lost) known = not_durable();
            waiter.numbers.insert(number);
        }
        if (known && !waiter.numbers.empty()) {
            waiter.done = std::move(done);
            waiters_.push_back(std::move(waiter));
            return;
        }
    }
    done(std::move(known));
}

Result<void> SharedKeyStore::sync() {
    if (undurable_ == 0) return {};
    std::unique_lock lock(mutex_);
    const std::uint64_t wanted = assignments_;
    // Written twice they say the same thing.
    for (auto& [number, assignment] : under_way_) {
        if (assignment.lost) send(number, assignment);
    }
    while (!under_way_.empty() && under_way_.begin()->first <= wanted) {
        for (const auto& [number, assignment] : under_way_) {
            if (number > wanted) break;
            if (assignment.lost) return not_durable();
        }
        settled_.wait(lock);  // each append is answered in its time
    }
    return {};
}

Result<SubjectKey> SharedKeyStore::take_from_pool() {
    const auto take = [this]() -> std::optional<SubjectKey> {
        const std::lock_guard lock(mutex_);
        if (pool_.empty()) return std::nullopt;
        const SubjectKey key = pool_.back();
        pool_.pop_back();
        return key;
    };
    while (true) {
        if (const std::optional<SubjectKey> key = take()) return *key;
        const std::lock_guard filling(pool_mutex_);
        if (const std::optional<SubjectKey> key = take()) return *key;
        BOS_CHECK(fill_pool());
    }
}

/// With pool_mutex_ held.
Result<void> SharedKeyStore::fill_pool() {
    std::vector<SubjectKey> keys;
    std::vector<shared_keys::Row> rows;
    for (std::size_t i = 0; i < options_.pool_keys; ++i) {
        const SubjectKey& key = keys.emplace_back(wrapping_->new_key());
        rows.push_back(shared_keys::key(key.id, wrapping_->row_of(key, {})));
    }
    BOS_CHECK(write(std::move(rows)));
    const std::lock_guard lock(mutex_);
    pool_.insert(pool_.end(), keys.begin(), keys.end());
    return {};
}

/// What nobody ever used; if it stays, nobody minds.
void SharedKeyStore::take_back(shared_keys::Row row) {
    static_cast<void>(topic_->append(std::move(row), [](const Result<Offset>&) {}));
}

/// Durable in the topic, and in this node's copy.
Result<Offset> SharedKeyStore::write(std::vector<shared_keys::Row> rows) {
    const Result<Offset> last = topic_->append(std::move(rows));
    if (!last) return not_yet(last.error());
    BOS_CHECK(topic_->wait_for(*last));
    return *last;
}

// --- finding -----------------------------------------------------------------------------------

Result<SubjectKey> SharedKeyStore::find(const TenantId& tenant, const Uuid& key_id) const {
    if (const auto cached = cache_.find(tenant, key_id)) return *cached;
    const std::uint64_t read_at = cache_.erasures();
    BOS_TRY(const std::optional<SubjectKey> found, look_for(tenant, key_id));
    if (found) {
        cache_.put(read_at, tenant, *found);
        return *found;
    }
    {
        const std::lock_guard lock(mutex_);
        if (absent_.contains(key_id)) return key_is_lost(key_id);
    }
    // A record may be read before the key that it names, but the key was written before it.
    BOS_CHECK(topic_->refresh());
    BOS_TRY(const std::optional<SubjectKey> later, look_for(tenant, key_id));
    if (later) return *later;
    BOS_CHECK(remember_absent(key_id));
    return key_is_lost(key_id);
}

/// None: there is no row, or none yet that says whose the key is. Errors: not_found = destroyed, or
/// of another tenant.
Result<std::optional<SubjectKey>> SharedKeyStore::look_for(const TenantId& tenant,
                                                           const Uuid& key_id) const {
    BOS_TRY(std::optional<KeyRow> row, rows_->key(key_id));
    if (!row) return std::nullopt;
    if (!row->destroyed() && row->owner.empty()) {
        const std::lock_guard lock(mutex_);
        if (const auto given = owners_.find(key_id); given == owners_.end()) {
            BOS_TRY(row, rows_->key(key_id));  // it may have been read between the two looks
            if (!row || (!row->destroyed() && row->owner.empty())) return std::nullopt;
        } else if (!is_of(tenant, given->second)) {
            return no_key(key_id);
        }
    }
    BOS_TRY(SubjectKey key, wrapping_->open(tenant, key_id, *row));
    return key;
}

/// Once nowhere, a key stays so: the record that names it cannot have been written before it.
Result<void> SharedKeyStore::remember_absent(const Uuid& key_id) const {
    const std::lock_guard lock(mutex_);
    BOS_TRY(const std::optional<KeyRow> row, rows_->key(key_id));
    if (row || !absent_.insert(key_id).second) return {};
    absent_order_.push_back(key_id);
    if (absent_order_.size() <= options_.absent_max) return {};
    absent_.erase(absent_order_.front());
    absent_order_.pop_front();
    return {};
}

// --- erasure -----------------------------------------------------------------------------------

Result<void> SharedKeyStore::destroy(const TenantId& tenant, const StreamId& subject) {
    BOS_CHECK(write({shared_keys::erased(subject_bytes(tenant, subject))}));
    return bury();
}

/// Removes the bytes of destroyed keys: from this node's files, and by a grave from the topic. Goes
/// on where a crash ended it.
Result<void> SharedKeyStore::bury() {
    const std::lock_guard one(bury_mutex_);
    BOS_TRY(const std::vector<Uuid> ids, rows_->to_purge());
    if (ids.empty()) return {};
    BOS_CHECK(rows_->purge(ids));
    std::vector<shared_keys::Row> graves;
    for (const Uuid& id : ids) {
        BOS_TRY(const bool needs_grave, rows_->needs_telling(id));
        if (needs_grave) graves.push_back(shared_keys::key(id, KeyRow{}));
    }
    if (!graves.empty()) BOS_CHECK(write(std::move(graves)));
    KeyRows::Changes changes;
    const std::lock_guard lock(mutex_);
    for (const Uuid& id : ids) {
        // Written again since, by an assignment that came late.
        BOS_TRY(const bool needs_grave, rows_->needs_telling(id));
        if (needs_grave) return fail(Code::unavailable, "a key needs another grave");
        changes.purged(id);
    }
    return rows_->write(std::move(changes), KeyRows::Durability::written);
}

// --- secrets of tenants ------------------------------------------------------------------------

Result<std::string> SharedKeyStore::tenant_secret(const TenantId& tenant) {
    BOS_TRY(auto wrapped, rows_->tenant_secret(tenant));
    if (wrapped) return wrapping_->open_tenant_secret(tenant, *wrapped);
    const std::lock_guard one(secret_mutex_);
    BOS_CHECK(refresh());
    BOS_TRY(wrapped, rows_->tenant_secret(tenant));
    if (wrapped) return wrapping_->open_tenant_secret(tenant, *wrapped);
    const Uuid id = wrapping_->new_id();
    const std::string made = wrapping_->new_tenant_secret(tenant);
    BOS_CHECK(write({shared_keys::tenant_secret(tenant, id, made)}));
    BOS_TRY(wrapped, rows_->tenant_secret(tenant));
    if (!wrapped) return fail(Code::unavailable, "a tenant's secret is not read yet");
    if (*wrapped != made) {  // another node was faster
        take_back(shared_keys::no_tenant_secret(tenant, id));
    }
    return wrapping_->open_tenant_secret(tenant, *wrapped);
}

// --- on the topic's thread ---------------------------------------------------------------------

Result<void> SharedKeyStore::apply(std::span<const SharedTopic::Record> records,
                                   const SharedTopic::Place& behind) {
    bool purge = false;
    SharedTopic::Place place = behind;
    for (const SharedTopic::Record& record : records) {
        place.next = record.offset.next();
        const std::lock_guard lock(mutex_);
        KeyRows::Changes changes;
        BOS_TRY(const shared_keys::Folded folded, shared_keys::fold(*rows_, record, changes));
        changes.put_place(SharedTopic::to_bytes(place));
        BOS_CHECK(rows_->write(std::move(changes), KeyRows::Durability::written));
        note(folded);
        purge = purge || folded.purge;
    }
    if (purge) wake();
    return {};
}

void SharedKeyStore::note(const shared_keys::Folded& folded) {
    if (folded.erased || folded.purge) cache_.forget();
    const auto drop = [this](const std::string& owner) {
        const auto given = given_.find(owner);
        if (given == given_.end()) return;
        owners_.erase(given->second.id);
        given_.erase(given);
    };
    if (folded.erased) drop(*folded.erased);
    if (!folded.key) return;
    absent_.erase(*folded.key);
    if (!folded.owner) return;
    const auto given = given_.find(*folded.owner);
    if (given != given_.end() && given->second.id == *folded.key) drop(*folded.owner);
}

// --- the keeper --------------------------------------------------------------------------------

void SharedKeyStore::wake() {
    {
        const std::lock_guard lock(wake_mutex_);
        work_ = true;
    }
    woken_.notify_one();
}

void SharedKeyStore::keep() {
    this_thread_is("key keeper");
    bool again = false;
    std::unique_lock lock(wake_mutex_);
    while (true) {
        const auto wanted = [this] { return work_ || stopping_; };
        if (again) {
            woken_.wait_for(lock, bury_again_after, wanted);
        } else {
            woken_.wait(lock, wanted);
        }
        if (stopping_) return;
        work_ = false;
        lock.unlock();
        again = !bury();
        bool low = false;
        {
            const std::lock_guard guard(mutex_);
            low = assignments_ > 0 && pool_.size() <= options_.pool_keys / 2;
        }
        if (low) {
            const std::lock_guard filling(pool_mutex_);
            static_cast<void>(fill_pool());  // whoever needs a key asks again, and gets the error
        }
        lock.lock();
    }
}

// --- moving ------------------------------------------------------------------------------------

Result<void> SharedKeyStore::adopt(const KeyRows& own) {
    BOS_TRY(const auto mark, own.master_mark());
    if (!mark || !wrapping_->is_master_of(*mark)) {
        return fail(Code::corrupt, "the keys of this node are wrapped with another master key");
    }
    BOS_TRY(std::vector<shared_keys::Row> rows, shared_keys::rows_of(own));
    std::vector<shared_keys::Row> missing;
    for (shared_keys::Row& row : rows) {
        BOS_TRY(const bool there, shared_keys::has(*rows_, row));
        if (!there) missing.push_back(std::move(row));
    }
    BOS_TRY(const auto secrets, shared_keys::secrets_of(own));
    for (const auto& [tenant, wrapped] : secrets) {
        BOS_TRY(const std::string secret, wrapping_->open_tenant_secret(tenant, wrapped));
        BOS_TRY(const auto shared, rows_->tenant_secret(tenant));
        if (!shared) {
            missing.push_back(shared_keys::tenant_secret(tenant, wrapping_->new_id(), wrapped));
        } else if (wrapping_->open_tenant_secret(tenant, *shared) != Result<std::string>(secret)) {
            return fail(Code::conflict,
                        fmt::format("tenant {} has another secret in {}: it was made there too, "
                                    "and the two cannot become one",
                                    tenant.value(), topic_->name()));
        }
    }
    for (std::size_t i = 0; i < missing.size(); i += portion) {
        const auto first = missing.begin() + static_cast<std::ptrdiff_t>(i);
        const auto last =
            missing.begin() + static_cast<std::ptrdiff_t>(std::min(i + portion, missing.size()));
        BOS_CHECK(write({std::make_move_iterator(first), std::make_move_iterator(last)}));
    }
    return {};
}

Result<void> SharedKeyStore::copy_to(KeyRows& own) {
    BOS_CHECK(refresh());
    KeyRows::Changes changes;
    std::size_t waiting = 0;
    BOS_CHECK(rows_->each([&](std::string_view key, std::string_view value) -> Result<void> {
        if (key == KeyRows::name_of_place()) return {};
        changes.put(key, value);
        if (++waiting % portion != 0) return {};
        return own.write(std::exchange(changes, {}), KeyRows::Durability::written);
    }));
    return own.write(std::move(changes), KeyRows::Durability::synced);
}

}  // namespace bos::eventstore
