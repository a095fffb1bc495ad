#pragma once

#include "eventstore/database_mark.h"
#include "eventstore/end_process.h"
#include "schemas/base/position.h"
#include "schemas/base/result.h"
#include "schemas/base/tenant.h"
#include "schemas/base/uuid.h"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/write_batch.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bos::eventstore {

/// The bytes by which rows name a subject.
[[nodiscard]] std::string subject_bytes(const TenantId& tenant, const StreamId& subject);

/// What is said of a key that a record names and that is nowhere, or nobody's.
[[nodiscard]] std::unexpected<Error> key_is_lost(const Uuid& id);

/// What is stored of a key. Secrets are wrapped (key_wrapping.h): this layer cannot read them.
struct KeyRow {
    std::string wrapped;  ///< empty: the key was destroyed
    std::string owner;    ///< subject_bytes(); empty: the key is nobody's yet

    [[nodiscard]] bool destroyed() const { return wrapped.empty(); }
    [[nodiscard]] std::string to_bytes() const;
    /// Errors: corrupt.
    [[nodiscard]] static Result<KeyRow> parse(std::string_view bytes);
};

/// The rows of a key store, in a RocksDB of their own (docs/formats.md has a worked example):
///
///   'm'                               -> a known text, wrapped: is this the right master key?
///   'k' key id 16                     -> wrapped secret 60, then its owner (tenant, type u16, id
///                                        16), nothing while it is in the pool; or 'e': destroyed
///   'a' tenant type u16 id 16, key id -> nothing: the key is this subject's
///   'x' tenant type u16 id 16         -> nothing: the subject was erased
///   'd' key id 16                     -> nothing: the key's bytes are still to be purged from
///   disk;
///                                        't': and other nodes know (copies of shared keys only)
///   's' tenant                        -> wrapped secret of the tenant
///   'o'                               -> only in a copy of shared keys: where it stands in the
///                                        topic
///
/// What was synced is known by a mark (database_mark.h): a store that has lost some of it is
/// refused. Assignments since the last mark are told as lost when a record names them
/// (key_is_lost).
///
/// A delete in RocksDB leaves the bytes in its files: purge() flushes and compacts them away.
///
/// Thread-safe.
class KeyRows {
  public:
    struct Options {
        std::string path;             ///< the database's own folder; its parent exists
        rocksdb::Env* env = nullptr;  ///< null = the machine's
        Fatal fatal = end_process;    ///< when durability is lost
    };
    /// Errors: corrupt, also when rows are gone that were synced; unavailable = another process has
    /// it.
    [[nodiscard]] static Result<std::unique_ptr<KeyRows>> open(Options options);
    /// There is a database in the folder.
    [[nodiscard]] static Result<bool> exist(const Options& options);

    [[nodiscard]] Result<std::optional<KeyRow>> key(const Uuid& id) const;
    [[nodiscard]] Result<std::vector<Uuid>> keys_of(std::string_view owner) const;
    [[nodiscard]] Result<bool> is_erased(std::string_view owner) const;
    [[nodiscard]] Result<std::vector<Uuid>> to_purge() const;
    /// The key is still to be purged, and nobody has told other nodes yet that it is destroyed.
    [[nodiscard]] Result<bool> needs_telling(const Uuid& id) const;
    [[nodiscard]] Result<std::optional<std::string>> tenant_secret(const TenantId& tenant) const;
    [[nodiscard]] Result<std::optional<std::string>> master_mark() const;
    [[nodiscard]] Result<std::optional<std::string>> place() const;
    [[nodiscard]] static std::string name_of_place();
    /// Visits every row of a database that nobody writes to.
    using Visit = std::function<Result<void>(std::string_view key, std::string_view value)>;
    [[nodiscard]] Result<void> each(const Visit& visit) const;

    /// Rows that become visible together.
    class Changes {
      public:
        void put_key(const Uuid& id, const KeyRow& row);
        void put_assignment(std::string_view owner, const Uuid& id);
        /// A key that nobody ever used.
        void forget_key(const Uuid& id);
        /// Leaves the key's grave. `owner` may be empty.
        void destroy_key(const Uuid& id, std::string_view owner);
        /// Of a key that is to be purged: the other nodes know.
        void told(const Uuid& id);
        void put_erased(std::string_view owner);
        void purged(const Uuid& id);
        void put_tenant_secret(const TenantId& tenant, std::string_view wrapped);
        void put_master_mark(std::string_view wrapped);
        void put_place(std::string_view place);
        void put(std::string_view key, std::string_view value);

      private:
        friend KeyRows;
        rocksdb::WriteBatch batch_;
    };
    enum class Durability : std::uint8_t { written, synced };
    /// Errors: unavailable = the disk is nearly full, and nothing was written.
    [[nodiscard]] Result<void> write(Changes changes, Durability durability);
    [[nodiscard]] Result<void> sync();

    /// Removes what was written of these keys before they were destroyed from the database's files.
    [[nodiscard]] Result<void> purge(std::span<const Uuid> ids);

  private:
    class Flushes;

    KeyRows(Options options, std::unique_ptr<rocksdb::Env> env);

    [[nodiscard]] Result<void> check_sequence(const DatabaseMark& mark) const;
    [[nodiscard]] Result<void> note(rocksdb::DB& db, std::uint64_t sequence);

    [[nodiscard]] Result<std::optional<std::string>> get(const std::string& key) const;
    [[nodiscard]] Result<std::vector<Uuid>> ids_after(const std::string& prefix) const;

    // Constant after construction.
    const Options options_;
    const std::unique_ptr<rocksdb::Env> env_;
    std::mutex mark_mutex_;
    DatabaseMark mark_;  ///< as it is on the disk; guarded by mark_mutex_
    std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace bos::eventstore
