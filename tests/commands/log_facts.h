#pragma once

#include "schemas/base/codec.h"
#include "tests/commands/machine.h"
#include "tests/domain/leads_world.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

// What stands in the log, read behind the shard's back.

namespace bos::commands::test {

[[nodiscard]] inline std::vector<eventstore::Commit> commits_in(const Machine& machine,
                                                                const TenantId& tenant) {
    const eventstore::MemoryLog log({}, machine.disk);
    std::vector<eventstore::Commit> commits;
    const Position head = log.head(tenant)->position;
    REQUIRE(log.scan(tenant, Position{1}, head,
                     [&](Position, std::string_view record) {
                         commits.push_back(eventstore::decode(record).value());
                         return true;
                     })
                .has_value());
    return commits;
}

[[nodiscard]] inline std::vector<std::string> keys_in(const Machine& machine,
                                                      const TenantId& tenant) {
    std::vector<std::string> keys;
    for (const eventstore::Commit& commit : commits_in(machine, tenant)) keys.push_back(commit.key);
    return keys;
}

/// Every record's exact bytes, one after the other.
[[nodiscard]] inline std::string bytes_of(const Machine& machine, const TenantId& tenant) {
    const eventstore::MemoryLog log({}, machine.disk);
    std::string bytes;
    REQUIRE(log.scan(tenant, Position{1}, log.head(tenant)->position,
                     [&](Position, std::string_view record) {
                         bytes += record;
                         return true;
                     })
                .has_value());
    return bytes;
}

[[nodiscard]] inline bos::test::LeadsWorld fold(const std::vector<eventstore::Commit>& commits) {
    bos::test::LeadsWorld world;
    for (const eventstore::Commit& commit : commits) {
        for (const eventstore::RecordedEvent& event : commit.events) {
            world.apply(decode_numbered<leads::Event>(event.number, event.payload).value());
        }
    }
    return world;
}

/// The chain holds, streams count their versions without gaps, leads their numbers, and no key
/// stands twice.
inline void check_sound(const Machine& machine, const TenantId& tenant) {
    const eventstore::MemoryLog log({}, machine.disk);
    REQUIRE(eventstore::verify_chain(log, tenant).has_value());
    std::map<StreamId, Version> versions;
    std::map<std::string, Position> keys;
    std::uint64_t last_number = 0;
    for (const eventstore::Commit& commit : commits_in(machine, tenant)) {
        REQUIRE(keys.emplace(commit.key, commit.position).second);
        for (const eventstore::RecordedEvent& event : commit.events) {
            REQUIRE_EQ(event.version, versions[event.stream].next());
            versions[event.stream] = event.version;
            if (event.number != leads::LeadNumberTaken::number) continue;
            const auto taken = decode<leads::LeadNumberTaken>(event.payload).value();
            REQUIRE_EQ(taken.lead_number, ++last_number);
        }
    }
}

}  // namespace bos::commands::test
