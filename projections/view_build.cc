#include "projections/view_build.h"

#include "eventstore/this_thread.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <thread>

namespace bos::projections {

namespace {

/// Big enough that handing it to a thread costs nothing, small enough to stay in the processor's
/// cache.
constexpr std::size_t commits_per_portion = 256;
/// Portions that may wait for a slow thread before the reader waits too.
constexpr std::size_t portions_waiting_max = 4;

/// For each thread its views, such that all have about as much to do: a view has the more to do,
/// the more it hears of.
std::vector<std::vector<ViewDescription>> shares_of(std::span<const ViewDescription> views,
                                                    unsigned threads) {
    std::vector<ViewDescription> busiest_first(views.begin(), views.end());
    std::ranges::sort(busiest_first, std::greater(), &ViewDescription::event_types);
    struct Share {
        std::size_t work = 0;
        std::vector<ViewDescription> views;
    };
    std::vector<Share> shares(std::clamp<std::size_t>(threads, 1, views.size()));
    for (const ViewDescription& view : busiest_first) {
        Share& idlest = *std::ranges::min_element(shares, {}, &Share::work);
        idlest.work += view.event_types;
        idlest.views.push_back(view);
    }
    std::vector<std::vector<ViewDescription>> views_of_threads;
    for (Share& share : shares) views_of_threads.push_back(std::move(share.views));
    return views_of_threads;
}

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

    /// Everything that was taken is to be written once it is applied.
    void ask_to_finish() {
        const std::scoped_lock lock(mutex_);
        finishing_ = true;
        changed_.notify_all();
    }
    /// Waits until it is.
    [[nodiscard]] Result<void> finished() {
        if (!thread_.joinable()) return session_.finish();
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !finishing_ || !outcome_; });
        return outcome_;
    }

  private:
    // Runs on: the worker's thread.
    void run(const std::stop_token& stop) {
        eventstore::this_thread_is("view builder");
        std::unique_lock lock(mutex_);
        while (changed_.wait(lock, stop, [this] { return !waiting_.empty() || finishing_; })) {
            if (!outcome_) {  // nobody wants the rest
                waiting_.clear();
                finishing_ = false;
                continue;
            }
            Commits commits;
            if (!waiting_.empty()) {
                commits = std::move(waiting_.front());
                waiting_.pop_front();
            }
            lock.unlock();
            Result<void> done = commits ? apply_guarded(*commits) : session_.finish();
            lock.lock();
            if (!done) outcome_ = std::move(done);
            if (!commits) finishing_ = false;
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
            session_.begin(commit.position, streams_begun_in(commit));
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

    // Touched by the thread if there is one.
    WriteSession session_;
    std::vector<std::optional<ViewWriter>> writers_;

    std::mutex mutex_;  // guards what follows
    std::condition_variable_any changed_;
    std::deque<Commits> waiting_;
    bool finishing_ = false;
    Result<void> outcome_;

    std::jthread thread_;  // last: joined first
};

ViewBuild::ViewBuild(ViewStore& store, const ViewSet& views, const eventstore::FieldSealer& sealer,
                     const TenantId& tenant, const RunnerOptions& options)
    : store_(store), views_(views), sealer_(sealer), tenant_(tenant), options_(options) {}

ViewBuild::~ViewBuild() = default;

Result<void> ViewBuild::start(std::span<const ViewDescription> views, unsigned threads) {
    const auto shares = shares_of(views, threads);
    for (const std::vector<ViewDescription>& share : shares) {
        std::vector<Generation> generations;
        for (const ViewDescription& view : share) {
            BOS_TRY(const Generation generation,
                    store_.start_building(tenant_, view.id, view.version));
            generations.push_back(generation);
            generations_.push_back(generation);
        }
        workers_.push_back(std::make_unique<Worker>(*this, std::move(generations),
                                                    options_.build_bytes_max / shares.size(),
                                                    shares.size() > 1));
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
    for (const std::unique_ptr<Worker>& worker : workers_) worker->ask_to_finish();
    for (const std::unique_ptr<Worker>& worker : workers_) BOS_CHECK(worker->finished());
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
