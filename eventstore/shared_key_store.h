#pragma once

#include "eventstore/end_process.h"
#include "eventstore/kafka_shared_topic.h"
#include "eventstore/key_cache.h"
#include "eventstore/key_rows.h"
#include "eventstore/key_store.h"
#include "eventstore/key_wrapping.h"
#include "eventstore/shared_key_rows.h"

#include <rocksdb/env.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace bos::eventstore {

struct SharedKeyStoreOptions {
    kafka::SharedTopic::Options topic;  ///< Keep::newest_of_key
    std::string path;                   ///< the copy's own folder; its parent exists
    std::string master_key;             ///< file, the same on all nodes. Back it up apart
    rocksdb::Env* env = nullptr;        ///< null = the machine's
    std::size_t pool_keys = 256;        ///< unused keys made at a time
    std::size_t absent_max = 65'536;    ///< ids of keys that are nowhere, kept in memory
    Fatal fatal = end_process;          ///< when the copy fails
};

/// The keys that several nodes share: a topic of rows (shared_key_rows.h), and a copy of it on each
/// node, from which reads are answered (docs/kafka.md has the argument). Every row that matters is
/// durable in the topic before anybody relies on it; the copy is only ever written by reading the
/// topic, so it needs no sync, and a folder that is lost is filled again.
///
/// key_for() of a new subject takes a key from the pool, which is in the topic already, and sends
/// the assignment without waiting; sync() waits for those under way. What another node did is known
/// when it was read: usually within milliseconds, after refresh() for certain. find() of a key that
/// is not there refreshes before it says so.
///
/// While no broker answers, keys that were read before are found, and subjects that have one get
/// it; all that would write is `unavailable`, and so is a key that this node has not read yet.
///
/// Thread-safe. Calls may block for the topic's timeout.
class SharedKeyStore final : public KeyStore {
  public:
    /// Makes a master key only where neither the file nor any row in the topic is there. Errors:
    /// corrupt = the master key is not that of the shared keys, or missing; the copy is damaged
    /// (its folder may be deleted); those of SharedTopic::open. denied = others may read the master
    /// key.
    [[nodiscard]] static Result<std::unique_ptr<SharedKeyStore>> open(
        SharedKeyStoreOptions options);
    ~SharedKeyStore() override;

    [[nodiscard]] Result<SubjectKey> key_for(const TenantId& tenant,
                                             const StreamId& subject) override;
    [[nodiscard]] Result<void> sync() override;
    void when_synced(const TenantId& tenant, Synced done) override;
    [[nodiscard]] Result<SubjectKey> find(const TenantId& tenant,
                                          const Uuid& key_id) const override;
    /// When it returns the bytes of the keys are gone from this node's copy, other nodes learn of
    /// it as they read on, and the topic drops them when it is compacted.
    [[nodiscard]] Result<void> destroy(const TenantId& tenant, const StreamId& subject) override;
    [[nodiscard]] std::uint64_t erasures() const override { return cache_.erasures(); }
    [[nodiscard]] Result<std::string> tenant_secret(const TenantId& tenant) override;
    [[nodiscard]] Result<void> refresh() override { return topic_->refresh(); }

    /// Puts the keys of a node that was by itself into the topic: those that are not in it yet.
    /// Errors: conflict = a tenant has another secret there; corrupt = `own` has another master
    /// key.
    [[nodiscard]] Result<void> adopt(const KeyRows& own);
    /// Makes `own`, which is empty, the rows of a node by itself.
    [[nodiscard]] Result<void> copy_to(KeyRows& own);

  private:
    /// An assignment that nobody may rely on yet.
    struct Assignment {
        TenantId tenant;
        Uuid key;
        KeyRow row;
        bool lost = false;  ///< not under way any more, and maybe not in the topic
    };

    /// Somebody who waits for assignments.
    struct Waiter {
        std::unordered_set<std::uint64_t> numbers;  ///< that are not durable
        Synced done;
    };

    SharedKeyStore(SharedKeyStoreOptions options, std::unique_ptr<KeyRows> rows)
        : options_(std::move(options)), rows_(std::move(rows)) {}

    [[nodiscard]] Result<void> start();
    [[nodiscard]] Result<void> load_master_key();
    [[nodiscard]] Result<void> check_master_key(std::string_view mark) const;

    [[nodiscard]] Result<std::optional<SubjectKey>> stored_key_of(const TenantId& tenant,
                                                                  std::string_view owner) const;
    [[nodiscard]] Result<std::optional<SubjectKey>> known_key_of(const TenantId& tenant,
                                                                 const std::string& owner) const;
    [[nodiscard]] Result<SubjectKey> assign(const TenantId& tenant, const std::string& owner);
    [[nodiscard]] Result<SubjectKey> take_from_pool();
    [[nodiscard]] Result<void> fill_pool();
    void send(std::uint64_t number, Assignment& assignment);
    void sent(std::uint64_t number, bool durable);
    [[nodiscard]] std::vector<Synced> waiters_of(std::uint64_t number, bool durable);

    [[nodiscard]] Result<std::optional<SubjectKey>> look_for(const TenantId& tenant,
                                                             const Uuid& key_id) const;
    [[nodiscard]] Result<void> remember_absent(const Uuid& key_id) const;

    void take_back(shared_keys::Row row);
    [[nodiscard]] Result<Offset> write(std::vector<shared_keys::Row> rows);
    [[nodiscard]] Result<void> apply(std::span<const kafka::SharedTopic::Record> records,
                                     const kafka::SharedTopic::Place& behind);
    void note(const shared_keys::Folded& folded);
    [[nodiscard]] Result<void> bury();
    void wake();
    void keep();

    // Constant after construction.
    const SharedKeyStoreOptions options_;
    const std::unique_ptr<KeyRows> rows_;
    std::optional<KeyWrapping> wrapping_;  ///< set before anything but the topic's thread runs

    // Thread-safe by itself; the topic's thread empties it when it reads of an erasure.
    mutable KeyCache cache_;

    mutable std::mutex mutex_;
    std::condition_variable settled_;
    // Guarded by mutex_, as is what follows from two looks at rows_ and from them.
    std::vector<SubjectKey> pool_;                       ///< made by this process, not given out
    std::unordered_map<std::string, SubjectKey> given_;  ///< by owner; not in rows_ yet
    std::unordered_map<Uuid, std::string> owners_;       ///< of the keys in given_
    std::map<std::uint64_t, Assignment> under_way_;      ///< in the order in which they began
    std::uint64_t assignments_ = 0;
    std::vector<Waiter> waiters_;
    mutable std::unordered_set<Uuid> absent_;
    mutable std::deque<Uuid> absent_order_;

    std::atomic<std::size_t> undurable_ = 0;  ///< size of under_way_

    std::mutex pool_mutex_;    ///< one fills the pool; taken before mutex_
    std::mutex secret_mutex_;  ///< one makes a secret; taken before mutex_
    std::mutex bury_mutex_;    ///< one purges; taken before mutex_

    // The thread that keeps the pool full and purges what other nodes destroyed.
    std::mutex wake_mutex_;
    std::condition_variable woken_;
    bool work_ = false;      ///< guarded by wake_mutex_
    bool stopping_ = false;  ///< guarded by wake_mutex_
    std::thread keeper_;

    std::unique_ptr<kafka::SharedTopic> topic_;  ///< goes first: its thread uses all the others
};

}  // namespace bos::eventstore
