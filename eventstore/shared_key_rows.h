#pragma once

#include "eventstore/kafka_shared_topic.h"
#include "eventstore/key_rows.h"
#include "schemas/base/result.h"
#include "schemas/base/tenant.h"
#include "schemas/base/uuid.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bos::eventstore {

/// The records of the topic of keys (docs/formats.md). The topic keeps the newest record of each
/// key of Kafka's, so two of the same key say the same thing, or the later one replaces the former:
///
///   'k' key id 16         -> as the row of key_rows.h: unowned, then owned, then a grave
///   'x' tenant, type, id  -> 'x': the subject was erased. Stays for ever
///   's' tenant, id 16     -> wrapped secret of the tenant; the first one in the topic counts. The
///                            random id lets it stay the first one when the topic is compacted
///   'm' id 16             -> a known text, wrapped by the master key; the first one counts
///
/// Tombstones are written for keys and secrets only that nobody ever used.
namespace shared_keys {

using Row = kafka::SharedTopic::Row;

[[nodiscard]] Row key(const Uuid& id, const KeyRow& row);
[[nodiscard]] Row no_key(const Uuid& id);
[[nodiscard]] Row erased(std::string_view owner);
[[nodiscard]] Row tenant_secret(const TenantId& tenant, const Uuid& id, std::string wrapped);
[[nodiscard]] Row no_tenant_secret(const TenantId& tenant, const Uuid& id);
[[nodiscard]] Row master_mark(const Uuid& id, std::string wrapped);

/// What a record means for those who keep something of it in memory.
struct Folded {
    std::optional<Uuid> key = {};            ///< there is a row of it
    std::optional<std::string> owner = {};   ///< of `key`
    std::optional<std::string> erased = {};  ///< the subject has no key any more and gets none
    bool purge = false;                      ///< keys were destroyed
};
/// Adds to `changes` what a record of the topic makes of the rows. The rows of every node are this
/// fold of the topic, compacted or not:
///
///   a subject that was erased has no key: one that comes later is void, and destroyed;
///   a grave ends a key, whatever comes after it.
///
/// A record that is none of the above is passed over, and said so in the log.
[[nodiscard]] Result<Folded> fold(const KeyRows& rows, const kafka::SharedTopic::Record& record,
                                  KeyRows::Changes& changes);

/// The records that make the topic hold the keys and erasures of a node that was by itself.
[[nodiscard]] Result<std::vector<Row>> rows_of(const KeyRows& rows);
/// `rows`, a copy of the topic, have what the record says, or know the key to be destroyed.
[[nodiscard]] Result<bool> has(const KeyRows& rows, const Row& row);
/// The wrapped secrets of tenants.
[[nodiscard]] Result<std::vector<std::pair<TenantId, std::string>>> secrets_of(const KeyRows& rows);

}  // namespace shared_keys

}  // namespace bos::eventstore
