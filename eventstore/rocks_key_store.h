#pragma once

#include "eventstore/end_process.h"
#include "eventstore/key_cache.h"
#include "eventstore/key_store.h"

#include <rocksdb/env.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace bos::eventstore {

struct RocksKeyStoreOptions {
    std::string path;             ///< the database's own folder; its parent exists
    rocksdb::Env* env = nullptr;  ///< null = the machine's
    std::size_t pool_keys = 256;  ///< unused keys made at a time
    std::string master_key = {};  ///< file; empty = master.key beside `path`. Back it up apart
    Fatal fatal = end_process;    ///< when durability is lost
    /// False: nothing is done ahead of time; assignments are synced by who calls sync(), and the
    /// pool is filled by who finds it empty. For tests where one thread has to do all.
    bool keeper = true;
};

/// The key store of one node, on RocksDB (key_rows.h).
///
/// A pool key is synced before it is given out, and given to one subject only. Assignments gather
/// in memory, and sync() writes all there are at once. Keys that a process made and had not durably
/// assigned when it died are never given out again (their bytes might be in use) but stay in the
/// rows. That no record names such a key, and so that destroy() finds every key of a subject, is
/// what sync() is for.
///
/// destroy() also purges the key's bytes from the database's files. What a file system, a snapshot
/// or a backup keeps of deleted files stays wrapped with the master key.
class RocksKeyStore final : public KeyStore {
  public:
    /// Errors: corrupt when the database or the master key is damaged, missing or not of the other;
    /// denied when others may read the master key; unavailable when another process has the store.
    [[nodiscard]] static Result<std::unique_ptr<RocksKeyStore>> open(RocksKeyStoreOptions options);
    ~RocksKeyStore() override;

    [[nodiscard]] Result<SubjectKey> key_for(const TenantId& tenant,
                                             const StreamId& subject) override;
    [[nodiscard]] Result<void> sync() override;
    [[nodiscard]] Result<SubjectKey> find(const TenantId& tenant,
                                          const Uuid& key_id) const override;
    [[nodiscard]] Result<void> destroy(const TenantId& tenant, const StreamId& subject) override;
    [[nodiscard]] std::uint64_t erasures() const override { return cache_.erasures(); }
    [[nodiscard]] Result<std::string> tenant_secret(const TenantId& tenant) override;

  private:
    [[nodiscard]] Result<std::string> stored_tenant_secret(const TenantId& tenant);
    class Rows;
    using Assignments = std::unordered_map<std::string, SubjectKey>;  // by subject_bytes()

    RocksKeyStore(RocksKeyStoreOptions options, std::unique_ptr<Rows> rows,
                  std::vector<SubjectKey> pool);

    [[nodiscard]] Result<SubjectKey> known_or_assigned(const TenantId& tenant,
                                                       const std::string& owner);
    [[nodiscard]] Result<void> write_assignments();
    [[nodiscard]] Result<SubjectKey> unwritten(const TenantId& tenant, const Uuid& key_id) const;
    void wake();
    void keep_ready();
    void refill_pool();

    // Constant after construction.
    const RocksKeyStoreOptions options_;
    const std::unique_ptr<Rows> rows_;

    // Thread-safe by itself.
    mutable KeyCache cache_;

    /// One assignment, erasure or new tenant secret at a time.
    mutable std::mutex mutex_;
    std::vector<SubjectKey> pool_;  ///< made by this process and not given out; guarded by mutex_
    Assignments given_;             ///< not in the rows yet; guarded by mutex_
    /// On their way to the rows. Changed with mutex_ and sync_mutex_ held, read with one of them.
    Assignments writing_;

    std::mutex sync_mutex_;  ///< one sync at a time; taken before mutex_
    std::atomic<std::uint64_t> started_ =
        0;  ///< assignments begun: raised before anyone can see them
    std::atomic<std::uint64_t> synced_ = 0;  ///< of these, durable

    std::mutex erase_mutex_;  ///< one purge at a time

    // The thread that syncs assignments and refills the pool.
    std::mutex wake_mutex_;
    std::condition_variable woken_;
    bool work_ = false;      ///< guarded by wake_mutex_
    bool stopping_ = false;  ///< guarded by wake_mutex_
    std::thread keeper_;
};

}  // namespace bos::eventstore
