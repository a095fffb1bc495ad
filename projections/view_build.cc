#include "projections/view_build.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <thread>

namespace bos::projections {

namespace {

/// Big enough that handing it to a thread costs nothing, small enough to stay in the processor's
/// cache.
constexpr std::size_t commits_per_portion = 256;
/// Portions that may wait for a slow thread before the reader waits too.
constexpr std::size_t portions_waiting_max = 4;

}  // namespace

/// Applies portions of commits to its share of the views, on a thread of its own if there are
/// several.
class ViewBuild::Worker {
  public:
    Worker(const ViewBuild& build, std::vector<Generation> generations, std::size_t bytes_max,
           bool own_thread)
        : views_(build.views_),
          sealer_(build.sealer_),
          bytes_max_(bytes_max),
          session_(build.store_.write_to(build.tenant_, std::move(generations))),
          writers_(views_.views().size()) {
        for (const Generation& generation : session_.generations()) {
            const auto place =
                std::ranges::find(views_.views(), generation.view, &ViewDescription::id);
            writers_[static_cast<std::size_t>(place - views_.views().begin())] =
                session_.writer(generation.view);
        }
        if (own_thread) thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    }

    /// Waits while the thread has enough to do.
    [[nodiscard]] Result<void> take(const Commits& commits) {
        if (!thread_.joinable()) return apply_guarded(*commits);
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return waiting_.size() < portions_waiting_max || !outcome_; });
        if (outcome_) waiting_.push_back(commits);
        changed_.notify_all();
        return outcome_;
    }

    /// Waits until everything that was taken is applied, and writes it.
    [[nodiscard]] Result<void> finish() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return (waiting_.empty() && !busy_) || !outcome_; });
        if (!outcome_) return outcome_;
        return session_.finish();
    }

  private:
    // Runs on: the worker's thread.
    void run(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
            const Commits commits = std::move(waiting_.front());
            waiting_.pop_front();
            busy_ = true;
            lock.unlock();
            Result<void> applied = apply_guarded(*commits);
            lock.lock();
            busy_ = false;
            if (!applied && outcome_) outcome_ = std::move(applied);
            changed_.notify_all();
        }
    }

    /// The edge at which a view's exception becomes an error.
    [[nodiscard]] Result<void> apply_guarded(const std::vector<eventstore::Commit>& commits) {
        try {
            return apply(commits);
        } catch (const std::exception& exception) {
            return bos::fail(Code::unavailable, fmt::format("a view threw: {}", exception.what()));
        }
    }

    [[nodiscard]] Result<void> apply(const std::vector<eventstore::Commit>& commits) {
        for (const eventstore::Commit& commit : commits) {
            session_.begin(commit.position);
            views_.apply(commit, sealer_, writers_);
            if (session_.failed()) break;
            // All that fits into memory is written at once: what is superseded by then never is.
            if (session_.cached_bytes() < bytes_max_) continue;
            BOS_CHECK(session_.finish());
            session_.drop_cache();
        }
        if (session_.failed()) return session_.finish();
        return {};
    }

    // Constant after construction.
    const ViewSet& views_;
    const eventstore::FieldSealer& sealer_;
    const std::size_t bytes_max_;

    // Touched by the thread while it is busy, else by the owner.
    WriteSession session_;
    std::vector<std::optional<ViewWriter>> writers_;

    std::mutex mutex_;  // guards what follows
    std::condition_variable_any changed_;
    std::deque<Commits> waiting_;
    bool busy_ = false;
    Result<void> outcome_;

    std::jthread thread_;  // last: joined first
};

ViewBuild::ViewBuild(ViewStore& store, const ViewSet& views, const eventstore::FieldSealer& sealer,
                     const TenantId& tenant, const RunnerOptions& options)
    : store_(store), views_(views), sealer_(sealer), tenant_(tenant), options_(options) {}

ViewBuild::~ViewBuild() = default;

Result<void> ViewBuild::start(std::span<const ViewDescription> views, unsigned threads) {
    const std::size_t shares_wanted = std::clamp<std::size_t>(threads, 1, views.size());
    std::vector<std::vector<Generation>> shares(shares_wanted);
    for (std::size_t i = 0; i < views.size(); ++i) {
        BOS_TRY(const Generation generation,
                store_.start_building(tenant_, views[i].id, views[i].version));
        generations_.push_back(generation);
        shares[i % shares.size()].push_back(generation);
    }
    for (std::vector<Generation>& share : shares) {
        workers_.push_back(std::make_unique<Worker>(
            *this, std::move(share), options_.build_bytes_max / shares.size(), shares.size() > 1));
    }
    return {};
}

Result<void> ViewBuild::advance(const eventstore::EventLog& log, Position to,
                                const Progress& progress) {
    auto portion = std::make_shared<std::vector<eventstore::Commit>>();
    Result<void> outcome;
    const auto pass_on = [&] {
        if (portion->empty()) return true;
        const Position last = portion->back().position;
        outcome =
            hand_out(std::exchange(portion, std::make_shared<std::vector<eventstore::Commit>>()));
        if (!outcome) return false;
        built_ = last;
        if (progress) progress(built_, to);
        return true;
    };
    BOS_CHECK(log.scan(tenant_, built_.next(), to, [&](Position, std::string_view record) {
        Result<eventstore::Commit> commit = eventstore::decode(record);
        if (!commit) {
            outcome = std::unexpected(commit.error());
            return false;
        }
        portion->push_back(*std::move(commit));
        return portion->size() < commits_per_portion || pass_on();
    }));
    BOS_CHECK(outcome);
    if (!pass_on()) return outcome;
    for (const std::unique_ptr<Worker>& worker : workers_) BOS_CHECK(worker->finish());
    if (built_ != to) {
        return fail(Code::corrupt, fmt::format("the log of {} ends at {}, its views are at {}",
                                               tenant_.value(), built_.value, to.value));
    }
    return {};
}

Result<void> ViewBuild::hand_out(Commits commits) {
    for (const std::unique_ptr<Worker>& worker : workers_) BOS_CHECK(worker->take(commits));
    return {};
}

}  // namespace bos::projections
