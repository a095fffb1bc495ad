#include "tests/sim/past.h"

#include "projections/views.h"
#include "schemas/base/digest.h"
#include "schemas/base/keys.h"
#include "tests/sim/disk_env.h"

#include <fmt/format.h>

#include <memory>

namespace bos::sim {

namespace {

constexpr Scheduler::Owner replay_owner = 9;

/// All rows of all views that a reader of the past sees.
Result<Hash> digest_of(const projections::ViewReader& reader, const projections::ViewSet& set) {
    Sha256 digest;
    for (const projections::ViewDescription& view : set.views()) {
        digest.update(KeyWriter().u16(view.id).bytes());
        const auto add = [&](std::string_view key, std::string_view row) {
            digest.update(KeyWriter()
                              .u32(static_cast<std::uint32_t>(key.size()))
                              .u32(static_cast<std::uint32_t>(row.size()))
                              .bytes());
            digest.update(key);
            digest.update(row);
            return true;
        };
        BOS_CHECK(reader.scan(view.id, "", "", projections::Direction::forward, add));
    }
    return digest.finish();
}

Result<Hash> digest_at(const projections::ViewStore& views, const projections::ViewSet& set,
                       const TenantId& tenant, Position position) {
    BOS_TRY(const auto reader, views.read_as_of(tenant, position));
    return digest_of(reader, set);
}

}  // namespace

void Past::look(const TenantId& tenant, projections::ViewStore& views,
                const projections::ViewSet& set) {
    const auto known = views.views(tenant);
    if (!known) return machine_.ledger.violate("views cannot be read: " + known.error().detail);
    const Position position{machine_.draws.below(known->applied.value + 1)};
    const auto digest = digest_at(views, set, tenant, position);
    if (!digest) return machine_.ledger.violate("cannot read the past: " + digest.error().detail);
    machine_.trace.note("{} as of {} of {}: {}", tenant.value(), position.value,
                        known->applied.value, to_hex(*digest));
    const auto [seen, is_new] = seen_.emplace(std::pair(tenant, position), *digest);
    if (!is_new && seen->second != *digest) {
        machine_.ledger.violate(
            fmt::format("{} as of {} is not what it was", tenant.value(), position.value));
    }
}

Result<void> Past::replay(std::span<const TenantId> tenants, const eventstore::EventLog& log,
                          const projections::Runner& live) const {
    Disk disk;
    const auto env = disk_env(disk, machine_.scheduler, machine_.clock, replay_owner);
    projections::ViewStoreOptions options;
    options.path = "/replay";
    options.env = env.get();
    options.cache_bytes = 1 << 20;
    options.write_buffer_bytes = 4 << 20;  // never full: its jobs would wait for ever
    BOS_TRY(const auto views, projections::ViewStore::open(options));
    projections::Runner runner(*views, projections::ViewSet(projections::Views{}), machine_.sealer);
    for (const TenantId& tenant : tenants) BOS_CHECK(replay_one(tenant, log, live, *views, runner));
    return {};
}

Result<void> Past::replay_one(const TenantId& tenant, const eventstore::EventLog& log,
                              const projections::Runner& live, projections::ViewStore& views,
                              projections::Runner& runner) const {
    BOS_CHECK(runner.open(tenant, eventstore::MemoryLog()));
    Result<void> compared;
    const auto compare = [&](Position position) -> Result<void> {
        const auto seen = seen_.find({tenant, position});
        if (seen == seen_.end()) return {};
        BOS_TRY(const Hash digest, digest_at(views, runner.views(), tenant, position));
        if (digest == seen->second) return {};
        return fail(Code::corrupt, fmt::format("{} as of {} was read as what no replay gives",
                                               tenant.value(), position.value));
    };
    BOS_CHECK(compare(Position{0}));
    BOS_TRY(const eventstore::Head head, log.head(tenant));
    BOS_CHECK(
        log.scan(tenant, Position{1}, head.position, [&](Position at, std::string_view bytes) {
            const auto commit = eventstore::decode(bytes);
            compared = commit ? runner.project(tenant, std::span(&*commit, 1))
                              : std::unexpected(commit.error());
            if (compared) compared = compare(at);
            return compared.has_value();
        }));
    BOS_CHECK(compared);
    BOS_TRY(const auto replayed, runner.hash(tenant));
    BOS_TRY(const auto kept, live.hash(tenant));
    for (std::size_t i = 0; i < kept.size(); ++i) {
        machine_.trace.note("{} {}: {}", tenant.value(), kept[i].view, to_hex(kept[i].hash));
        if (kept[i] == replayed[i]) continue;
        return fail(Code::corrupt, fmt::format("view {} of {} is not what a replay gives",
                                               kept[i].view, tenant.value()));
    }
    return {};
}

}  // namespace bos::sim
