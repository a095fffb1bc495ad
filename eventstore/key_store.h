#pragma once

#include "schemas/base/position.h"
#include "schemas/base/random.h"
#include "schemas/base/result.h"
#include "schemas/base/tenant.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace bos::eventstore {

/// A subject's key for its personal fields.
struct SubjectKey {
    Uuid id;                                ///< named by every field sealed with it
    std::array<std::uint8_t, 32> secret{};  ///< AES-256; wiped when the object goes

    ~SubjectKey();
};

/// Keys of personal data, in a RocksDB of its own apart from the log (design.md 1.8). One random
/// key per subject (tenant and stream). Two things must be durable before the first record that
/// names a key: the key, and that it is this subject's (or destroy() would miss it after a crash).
/// Keys are made ahead in a synced pool. The background begins at once with an assignment that
/// comes alone; sync() makes all others durable together, and costs nothing when there are none.
/// The log calls it before each write (RocksLogOptions::before_write), so only the first record of
/// a subject can ever wait for it.
///
/// Thread-safe.
class KeyStore {
  public:
    virtual ~KeyStore() = default;

    /// The key for new fields of a subject: the one it has, or one from the pool. Errors:
    /// unavailable when the pool is empty and cannot be filled; not_found when the subject was
    /// erased.
    [[nodiscard]] virtual Result<SubjectKey> key_for(const TenantId& tenant,
                                                     const StreamId& subject) = 0;

    /// Returns when every key that key_for() gave until now is durably its subject's. Must come
    /// between key_for() and the durability of a record that names the key. Errors: unavailable.
    [[nodiscard]] virtual Result<void> sync() = 0;

    /// The same for the keys of one tenant, without waiting: `done` is called once, before it
    /// returns or later on a thread of the store, and must not block.
    using Synced = std::move_only_function<void(Result<void>)>;
    virtual void when_synced(const TenantId& /*tenant*/, Synced done) { done(sync()); }

    /// The key named by a sealed field. Errors: not_found = destroyed (the field reads as erased),
    /// or of another tenant; corrupt = the store has never had it, or not as anyone's: no record
    /// names such a key, so the store has lost something.
    [[nodiscard]] virtual Result<SubjectKey> find(const TenantId& tenant,
                                                  const Uuid& key_id) const = 0;

    /// Destroys every key of the subject, synced, and lets none be made for it again. Idempotent.
    [[nodiscard]] virtual Result<void> destroy(const TenantId& tenant, const StreamId& subject) = 0;

    /// Changes whenever keys were destroyed since the store was opened, on this node or another,
    /// and no later than anybody is told so. To be asked before fields are opened, by who keeps
    /// what was in them.
    [[nodiscard]] virtual std::uint64_t erasures() const = 0;

    /// A secret of the tenant for keyed digests and cursors, made on first use, synced, stable for
    /// ever.
    [[nodiscard]] virtual Result<std::string> tenant_secret(const TenantId& tenant) = 0;

    /// Keys that several nodes share: takes in what the others did until it was called. A node does
    /// it when it becomes a tenant's writer. Errors: unavailable.
    [[nodiscard]] virtual Result<void> refresh() { return {}; }
};

/// Seals and opens single fields: AES-256-GCM, random nonce, associated data = tenant | stream |
/// field. Format of the sealed bytes in docs/formats.md.
class FieldSealer {
  public:
    FieldSealer(KeyStore& keys, Random& random) : keys_(keys), random_(random) {}

    [[nodiscard]] Result<std::string> seal(const TenantId& tenant, const StreamId& subject,
                                           std::string_view field, std::string_view plain) const;

    /// Errors: not_found = the key was destroyed; corrupt = altered, or moved from another tenant,
    /// stream or field.
    [[nodiscard]] Result<std::string> open(const TenantId& tenant, const StreamId& subject,
                                           std::string_view field, std::string_view sealed) const;

    /// Keyed digest for equality look-ups of a field's plain text (lower-casing etc. is the
    /// caller's).
    [[nodiscard]] Result<Hash> digest(const TenantId& tenant, std::string_view field,
                                      std::string_view plain) const;

  private:
    KeyStore& keys_;
    Random& random_;
};

}  // namespace bos::eventstore
