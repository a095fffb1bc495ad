#include "projections/runner.h"

#include "projections/view_build.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

namespace bos::projections {

namespace {

/// A build that is this close to the live views stops them and does the rest.
constexpr std::uint64_t commits_left_for_changeover = 512;
/// A build that cannot come that close, because commits arrive as fast as it works, stops them
/// anyway.
constexpr int rounds_before_changeover = 32;

}  // namespace

Runner::Runner(ViewStore& store, ViewSet views, const eventstore::FieldSealer& sealer,
               RunnerOptions options)
    : store_(store), views_(std::move(views)), sealer_(sealer), options_(options) {}

Runner::~Runner() = default;

std::shared_ptr<Runner::Tenant> Runner::tenant_of(const TenantId& tenant) {
    const std::scoped_lock lock(mutex_);
    std::shared_ptr<Tenant>& state = tenants_[tenant];
    if (!state) state = std::make_shared<Tenant>(cached_bytes_);
    return state;
}

void Runner::close(const TenantId& tenant) {
    const std::scoped_lock lock(mutex_);
    tenants_.erase(tenant);
}

Result<Position> Runner::open(const TenantId& tenant, const eventstore::EventLog& log,
                              const Progress& progress, LogEnd log_end) {
    const std::shared_ptr<Tenant> state = tenant_of(tenant);
    const std::scoped_lock building(state->building);
    {
        const std::scoped_lock writing(state->writing);
        close_session(*state);
        BOS_TRY(const TenantViews views, store_.views(tenant));
        BOS_TRY(const eventstore::Head end, log.head(tenant));
        if (views.building.empty() && views.live.size() == views_.views().size() &&
            outdated(views).empty() && views.applied == end.position)
            return views.applied;
        BOS_CHECK(store_.drop_unfinished(tenant));
        BOS_CHECK(drop_what_left_the_set(tenant));
    }
    BOS_TRY(TenantViews known, store_.views(tenant));
    BOS_TRY(const eventstore::Head head, log.head(tenant));
    if (known.applied > head.position) {
        const bool complete = known.live.size() == views_.views().size() && outdated(known).empty();
        if (complete && log_end == LogEnd::may_follow) return known.applied;
        return fail(Code::corrupt,
                    fmt::format("the views of {} are at {}, beyond its log's end at {}",
                                tenant.value(), known.applied.value, head.position.value));
    }
    if (far_behind(known.applied, head.position)) {
        BOS_CHECK(clear_all(tenant, known));
        known.live.clear();
    }
    const std::vector<ViewDescription> missing = outdated(known);
    if (!missing.empty()) {
        RebuildOptions options;
        options.progress = progress;
        BOS_CHECK(build(tenant, log, missing, options, *state));
    }
    const std::scoped_lock writing(state->writing);
    BOS_CHECK(catch_up_locked(tenant, log, *state));
    const Position applied = state->session->position();
    close_session(*state);  // it sleeps until its next commit, and there may be thousands
    return applied;
}

Result<void> Runner::drop_what_left_the_set(const TenantId& tenant) {
    BOS_TRY(const TenantViews known, store_.views(tenant));
    for (const Generation& live : known.live) {
        const auto same_id = [&](const ViewDescription& view) { return view.id == live.view; };
        if (std::ranges::any_of(views_.views(), same_id)) continue;
        BOS_CHECK(store_.clear(tenant, live.view));
    }
    return {};
}

std::vector<ViewDescription> Runner::outdated(const TenantViews& known) const {
    std::vector<ViewDescription> views;
    for (const ViewDescription& view : views_.views()) {
        const auto live = std::ranges::find(known.live, view.id, &Generation::view);
        if (live == known.live.end() || live->version != view.version) views.push_back(view);
    }
    return views;
}

bool Runner::far_behind(Position applied, Position head) const {
    const std::uint64_t commits = head.value - applied.value;
    return commits >= options_.rebuild_commits_min && commits > head.value / 2;
}

Result<void> Runner::clear_all(const TenantId& tenant, const TenantViews& known) {
    for (const Generation& live : known.live) BOS_CHECK(store_.clear(tenant, live.view));
    return {};
}

Result<void> Runner::open_session(const TenantId& tenant, Tenant& state) {
    if (state.session) return {};
    BOS_TRY(const TenantViews known, store_.views(tenant));
    if (!outdated(known).empty() || known.live.size() != views_.views().size()) {
        return fail(Code::unavailable, "the views of " + tenant.value() + " have not been opened");
    }
    BOS_TRY(WriteSession session, store_.write(tenant));
    state.session.emplace(std::move(session));
    state.writers.clear();
    for (const ViewDescription& view : views_.views()) {
        state.writers.emplace_back(state.session->writer(view.id));
    }
    return {};
}

Result<void> Runner::apply(Tenant& state, const eventstore::Commit& commit) {
    const Position applied = state.session->position();
    if (commit.position != applied.next()) {
        return fail(Code::conflict,
                    fmt::format("the views of {} are at {}: commit {} does not follow",
                                commit.tenant.value(), applied.value, commit.position.value));
    }
    state.session->begin(commit.position, streams_begun_in(commit));
    try {
        views_.apply(commit, sealer_, state.writers);
    } catch (const std::exception& exception) {
        return fail(Code::unavailable, fmt::format("a view threw: {}", exception.what()));
    }
    return {};
}

Result<void> Runner::finish(Tenant& state) {
    BOS_CHECK(state.session->finish());
    state.cached.become(state.session->cached_bytes());
    state.used = ++turn_;
    if (cached_bytes_ > options_.live_cache_bytes_max) shrink_caches(state);
    return {};
}

/// Down to half, so that it is seldom; those first that were not written to for the longest time.
/// `state`, whose `writing` the caller holds, comes last, and one that is being written to keeps
/// what it has.
void Runner::shrink_caches(Tenant& state) {
    struct Candidate {
        std::uint64_t used;
        std::shared_ptr<Tenant> tenant;
    };
    std::vector<Candidate> candidates;
    {
        const std::scoped_lock lock(mutex_);
        for (const auto& [id, tenant] : tenants_) {
            if (tenant.get() != &state) candidates.push_back({tenant->used, tenant});
        }
    }
    std::ranges::sort(candidates, {}, &Candidate::used);
    for (const Candidate& candidate : candidates) {
        if (cached_bytes_ <= options_.live_cache_bytes_max / 2) return;
        const std::unique_lock writing(candidate.tenant->writing, std::try_to_lock);
        if (writing) drop_cache(*candidate.tenant);
    }
    if (cached_bytes_ > options_.live_cache_bytes_max / 2) drop_cache(state);
}

void Runner::drop_cache(Tenant& state) {
    if (!state.session) return;
    state.session->drop_cache();
    state.cached.become(0);
}

void Runner::close_session(Tenant& state) {
    state.session.reset();
    state.cached.become(0);
}

Result<void> Runner::project(const TenantId& tenant, std::span<const eventstore::Commit> commits) {
    const std::shared_ptr<Tenant> state = tenant_of(tenant);
    const std::scoped_lock writing(state->writing);
    BOS_CHECK(open_session(tenant, *state));
    Result<void> outcome;
    for (const eventstore::Commit& commit : commits) {
        outcome = apply(*state, commit);
        if (!outcome) break;
    }
    if (outcome) outcome = finish(*state);
    // What was applied in memory only must not be seen by the next commit.
    if (!outcome) close_session(*state);
    return outcome;
}

Result<void> Runner::keep_up(const TenantId& tenant, std::span<const eventstore::Commit> commits,
                             const eventstore::EventLog& log) {
    const Result<void> projected = project(tenant, commits);
    if (projected) return {};
    // The commits are durable whatever the views do; these have the log to catch up from.
    if (projected.error().code == Code::conflict && catch_up(tenant, log)) return {};
    return open(tenant, log) ? Result<void>() : projected;
}

Result<Position> Runner::catch_up(const TenantId& tenant, const eventstore::EventLog& log) {
    const std::shared_ptr<Tenant> state = tenant_of(tenant);
    const std::scoped_lock writing(state->writing);
    BOS_CHECK(catch_up_locked(tenant, log, *state));
    return state->session->position();
}

Result<void> Runner::catch_up_locked(const TenantId& tenant, const eventstore::EventLog& log,
                                     Tenant& state) {
    BOS_CHECK(open_session(tenant, state));
    BOS_TRY(const eventstore::Head head, log.head(tenant));
    if (head.position <= state.session->position()) return {};
    Result<void> outcome;
    const auto apply_record = [&](Position, std::string_view record) {
        const Result<eventstore::Commit> commit = eventstore::decode(record);
        outcome = commit ? apply(state, *commit) : std::unexpected(commit.error());
        if (outcome && state.session->pending_bytes() >= options_.batch_bytes_max)
            outcome = finish(state);
        return outcome.has_value();
    };
    const Result<void> scanned =
        log.scan(tenant, state.session->position().next(), head.position, apply_record);
    if (outcome) outcome = scanned;
    if (outcome) outcome = finish(state);
    if (!outcome) close_session(state);
    return outcome;
}

Result<void> Runner::rebuild(const TenantId& tenant, const eventstore::EventLog& log,
                             const RebuildOptions& options) {
    const std::shared_ptr<Tenant> state = tenant_of(tenant);
    const std::scoped_lock building(state->building);
    std::vector<ViewDescription> wanted;
    for (const ViewDescription& view : views_.views()) {
        const auto same_id = [&](std::uint16_t id) { return id == view.id; };
        if (options.views.empty() || std::ranges::any_of(options.views, same_id)) {
            wanted.push_back(view);
        }
    }
    if (wanted.empty()) return fail(Code::invalid, "no such view");
    return build(tenant, log, wanted, options, *state);
}

Result<void> Runner::build(const TenantId& tenant, const eventstore::EventLog& log,
                           std::span<const ViewDescription> views, const RebuildOptions& options,
                           Tenant& state) {
    Result<void> outcome = build_and_change_over(tenant, log, views, options, state);
    if (outcome) return {};
    BOS_CHECK(store_.drop_unfinished(tenant));
    return outcome;
}

Result<void> Runner::build_and_change_over(const TenantId& tenant, const eventstore::EventLog& log,
                                           std::span<const ViewDescription> views,
                                           const RebuildOptions& options, Tenant& state) {
    ViewBuild fresh(store_, views_, sealer_, tenant, options_);
    BOS_CHECK(fresh.start(views, options.threads));
    // Where the live views are, which the changeover must not move; the log's end when there are
    // none.
    const auto target = [&]() -> Result<Position> {
        BOS_TRY(const TenantViews known, store_.views(tenant));
        if (!known.live.empty()) return known.applied;
        BOS_TRY(const eventstore::Head head, log.head(tenant));
        return head.position;
    };
    for (int round = 0; round < rounds_before_changeover; ++round) {
        BOS_TRY(const Position to, target());
        if (to.value - fresh.built().value <= commits_left_for_changeover) break;
        BOS_CHECK(fresh.advance(log, to, options.progress));
    }
    const std::scoped_lock writing(state.writing);
    BOS_TRY(const Position to, target());
    BOS_CHECK(fresh.advance(log, to, options.progress));
    close_session(state);
    return store_.go_live(tenant, fresh.generations(), to);
}

Result<std::vector<ViewHash>> Runner::hash(const TenantId& tenant) const {
    std::vector<ViewHash> hashes;
    for (const ViewDescription& view : views_.views()) {
        BOS_TRY(const Hash hash, store_.hash(tenant, view.id));
        hashes.push_back({view.name, hash});
    }
    return hashes;
}

}  // namespace bos::projections
