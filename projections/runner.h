#pragma once

#include "eventstore/event_log.h"
#include "projections/view_set.h"
#include "projections/view_store.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bos::projections {

struct RunnerOptions {
    /// Views that are so many commits behind when they are opened, and by more than half of the
    /// log, are built anew: that is faster than to catch up.
    std::uint64_t rebuild_commits_min = 20'000;
    std::size_t batch_bytes_max = 8u << 20;    ///< of one write while catching up
    std::size_t build_bytes_max = 256u << 20;  ///< rows kept in memory by one build, all threads
    std::size_t live_cache_bytes_max = 32u << 20;  ///< rows kept in memory, of all open tenants
};

/// How far a build has come: `done` of `all` commits. Called on the thread that called the runner.
using Progress = std::function<void(Position done, Position all)>;

struct RebuildOptions {
    unsigned threads = 1;                   ///< each works for its share of the views
    std::vector<std::uint16_t> views = {};  ///< empty = all
    Progress progress = {};
};

struct ViewHash {
    std::string_view view;
    Hash hash;

    friend bool operator==(const ViewHash&, const ViewHash&) = default;
};

/// What is known of where a log ends.
enum class LogEnd {
    known,
    may_follow,  ///< more of it is elsewhere, perhaps
};

/// Keeps the views of all tenants in step with their logs.
///
/// Thread-safe. Calls for one tenant wait for each other, but project() waits for a rebuild() only
/// at its end, while the views change over.
class Runner {
  public:
    /// `store` and `sealer` outlive the runner.
    Runner(ViewStore& store, ViewSet views, const eventstore::FieldSealer& sealer,
           RunnerOptions options = {});
    ~Runner();

    /// Makes every view of the set live and applied up to the log's head: drops what is not in the
    /// set, builds what is new or of another version, catches up with the rest. Before anything
    /// else for a tenant. Returns the applied position. Errors: corrupt when views stand beyond the
    /// end of the log: they belong to another log. If that end is a replica's that may not have
    /// been read to its topic's end yet, complete views stay as they are, and go on when the log
    /// has passed them.
    [[nodiscard]] Result<Position> open(const TenantId& tenant, const eventstore::EventLog& log,
                                        const Progress& progress = {},
                                        LogEnd log_end = LogEnd::known);

    /// Applies durable commits, the first one following the applied position: one write for all of
    /// them. Errors: conflict when they do not follow (then: catch_up), and whatever the write
    /// says; nothing was written then.
    [[nodiscard]] Result<void> project(const TenantId& tenant,
                                       std::span<const eventstore::Commit> commits);

    /// Brings the views up to durable commits, whatever they stand at: projects them, else catches
    /// up from the log, else opens the views anew.
    [[nodiscard]] Result<void> keep_up(const TenantId& tenant,
                                       std::span<const eventstore::Commit> commits,
                                       const eventstore::EventLog& log);

    /// Applies what the log has and the views have not. Returns the applied position.
    [[nodiscard]] Result<Position> catch_up(const TenantId& tenant,
                                            const eventstore::EventLog& log);

    /// Builds views anew from the first commit, beside those that are read and written meanwhile,
    /// then changes over at once. Gives the rows, the past and the hash that project() gives. One
    /// rebuild of a tenant at a time; a second one waits.
    [[nodiscard]] Result<void> rebuild(const TenantId& tenant, const eventstore::EventLog& log,
                                       const RebuildOptions& options = {});

    /// Of every view, in the order of the set.
    [[nodiscard]] Result<std::vector<ViewHash>> hash(const TenantId& tenant) const;

    /// Lets go of what is held in memory for a tenant (it moved away). Its rows stay.
    void close(const TenantId& tenant);

    [[nodiscard]] const ViewSet& views() const { return views_; }

  private:
    /// A tenant's part of what all of them keep in memory; goes with the tenant.
    class CachedBytes {
      public:
        explicit CachedBytes(std::atomic<std::size_t>& all) : all_(all) {}
        ~CachedBytes() { become(0); }
        CachedBytes(const CachedBytes&) = delete;
        CachedBytes& operator=(const CachedBytes&) = delete;

        void become(std::size_t bytes) {
            all_ += bytes - bytes_;  // modulo 2^64, so that it may shrink
            bytes_ = bytes;
        }

      private:
        std::atomic<std::size_t>& all_;
        std::size_t bytes_ = 0;
    };
    struct Tenant {
        explicit Tenant(std::atomic<std::size_t>& cached_by_all) : cached(cached_by_all) {}

        std::mutex building;                  // taken before `writing`
        std::mutex writing;                   // guards what follows, and the tenant's live rows
        std::optional<WriteSession> session;  // none = to be opened
        std::vector<std::optional<ViewWriter>> writers;
        CachedBytes cached;

        std::atomic<std::uint64_t> used = 0;  // turn of the last write
    };

    std::shared_ptr<Tenant> tenant_of(const TenantId& tenant);
    // Those below: with `writing` held.
    [[nodiscard]] Result<void> open_session(const TenantId& tenant, Tenant& state);
    [[nodiscard]] Result<void> apply(Tenant& state, const eventstore::Commit& commit);
    [[nodiscard]] Result<void> finish(Tenant& state);
    void shrink_caches(Tenant& state);
    static void drop_cache(Tenant& state);
    static void close_session(Tenant& state);
    [[nodiscard]] Result<void> catch_up_locked(const TenantId& tenant,
                                               const eventstore::EventLog& log, Tenant& state);
    // With `building` held.
    [[nodiscard]] Result<void> drop_what_left_the_set(const TenantId& tenant);
    [[nodiscard]] std::vector<ViewDescription> outdated(const TenantViews& known) const;
    [[nodiscard]] bool far_behind(Position applied, Position head) const;
    [[nodiscard]] Result<void> clear_all(const TenantId& tenant, const TenantViews& known);
    [[nodiscard]] Result<void> build(const TenantId& tenant, const eventstore::EventLog& log,
                                     std::span<const ViewDescription> views,
                                     const RebuildOptions& options, Tenant& state);
    [[nodiscard]] Result<void> build_and_change_over(const TenantId& tenant,
                                                     const eventstore::EventLog& log,
                                                     std::span<const ViewDescription> views,
                                                     const RebuildOptions& options, Tenant& state);

    ViewStore& store_;
    const ViewSet views_;
    const eventstore::FieldSealer& sealer_;
    const RunnerOptions options_;

    std::atomic<std::size_t> cached_bytes_ = 0;  // by the sessions of all tenants
    std::atomic<std::uint64_t> turn_ = 0;

    std::mutex mutex_;  // guards the map only
    std::unordered_map<TenantId, std::shared_ptr<Tenant>> tenants_;
};

}  // namespace bos::projections
