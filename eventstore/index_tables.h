#pragma once

#include "eventstore/event_log.h"
#include "eventstore/log_database.h"

#include <functional>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

namespace bos::eventstore {

/// Look-ups in the index as the tables have it, which may end before the newest records
/// (index_tail.h). Of rows of an earlier release too. Errors of all: corrupt = a row is damaged.
///
/// For the length of one read of `database`, on any thread.
class IndexTables {
  public:
    explicit IndexTables(const LogDatabase& database) : database_(database) {}

    /// The last record that is indexed.
    [[nodiscard]] Result<std::uint64_t> end() const;

    [[nodiscard]] Result<Head> head(const TenantId& tenant) const;
    /// None: `position` is not in the tables.
    [[nodiscard]] Result<std::optional<std::uint64_t>> sequence(const TenantId& tenant,
                                                                Position position) const;
    /// The records from..to that are in the tables, in order, until `visit` returns false or fails.
    /// Errors: corrupt at a gap too.
    using Visit = std::function<Result<bool>(Position position, std::uint64_t sequence)>;
    [[nodiscard]] Result<void> positions(const TenantId& tenant, Position from, Position to,
                                         const Visit& visit) const;
    [[nodiscard]] Result<std::vector<EventAddress>> stream(const TenantId& tenant,
                                                           const StreamId& stream, Version from,
                                                           std::size_t limit) const;
    [[nodiscard]] Result<std::optional<Position>> find_key(const TenantId& tenant,
                                                           const Hash& key_digest) const;
    [[nodiscard]] Result<void> add_tenants(std::set<TenantId>& tenants) const;

  private:
    /// None: no row.
    [[nodiscard]] Result<std::optional<std::string>> row(const std::string& key,
                                                         std::string_view doing) const;
    [[nodiscard]] std::unique_ptr<rocksdb::Iterator> rows(const rocksdb::ReadOptions& read) const {
        return database_.iterate(read, database_.families().index);
    }

    const LogDatabase& database_;
};

}  // namespace bos::eventstore
