#include "gateway/node.h"

#include "eventstore/this_thread.h"
#include "gateway/events_on_kafka.h"
#include "gateway/open_keys.h"
#include "projections/views.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <future>
#include <optional>
#include <utility>

namespace bos::gateway {

namespace {
/// Of views that stand still.
constexpr auto between_tries = std::chrono::seconds(1);
}  // namespace

Result<Stores> open_stores(const std::filesystem::path& data, const KafkaCluster& kafka,
                           const std::string& master_key) {
    BOS_CHECK(check_kind_of_log(data, kafka));
    if (kafka.given()) BOS_CHECK(check_access(kafka));
    std::error_code error;
    std::filesystem::create_directories(data, error);
    if (error)
        return fail(Code::unavailable, fmt::format("cannot create the data folder {}: {}",
                                                   data.string(), error.message()));
    std::filesystem::permissions(data, std::filesystem::perms::owner_all, error);
    Stores stores;
    BOS_TRY(stores.keys, open_keys(data, kafka, master_key));
    if (kafka.given()) {
        BOS_TRY(auto log, open_kafka_log(data, kafka, stores.keys.get()));
        stores.kafka = log.get();
        stores.log = std::move(log);
    } else {
        BOS_TRY(stores.log, open_embedded_log(data, stores.keys.get()));
    }
    projections::ViewStoreOptions view_options;
    view_options.path = (data / "views").string();
    view_options.on_corruption = projections::OnCorruption::start_empty;
    BOS_TRY(stores.views, projections::ViewStore::open(view_options));
    return stores;
}

Result<std::unique_ptr<Node>> Node::open(const NodeOptions& options, Clock& clock, Random& random) {
    BOS_TRY(Stores stores, open_stores(options.data, options.kafka, options.master_key));
    std::unique_ptr<Node> node(new Node(std::move(stores), options, clock, random));
    if (options.kafka.given() && options.events) {
        BOS_TRY(node->events_, start_events(options.kafka, node->log()));
    }
    return node;
}

Node::Node(Stores stores, const NodeOptions& options, Clock& clock, Random& random)
    : stores_(std::move(stores)),
      clock_(clock),
      random_(random),
      sealer_(*stores_.keys, random),
      runner_(*stores_.views, projections::ViewSet(projections::Views{}), sealer_),
      keeps_views_(options.keeps_views) {
    const commands::Surroundings surroundings{.log = *stores_.log,
                                              .keys = *stores_.keys,
                                              .sealer = sealer_,
                                              .sink = *this,
                                              .clock = clock_,
                                              .random = random_};
    for (std::size_t i = 0; i < std::max<std::size_t>(options.shards, 1); ++i) {
        auto thread = std::make_unique<ShardThread>();
        thread->shard = std::make_unique<commands::Shard>(thread->context.get_executor(),
                                                          surroundings, options.limits);
        shards_.push_back(std::move(thread));
    }
    if (stores_.kafka != nullptr)
        stores_.kafka->listen([this](const TenantId& tenant) { log_grew(tenant); });
}

Node::~Node() {
    if (running_) stop(std::chrono::seconds(10));
    if (stores_.kafka != nullptr) stores_.kafka->listen({});
}

Result<void> Node::catch_up(const TenantProgress& progress) {
    BOS_TRY(const std::vector<TenantId> tenants, stores_.log->tenants());
    for (const TenantId& tenant : tenants) {
        const auto told = [&](Position done, Position all) {
            if (progress) progress(tenant, done, all);
        };
        BOS_CHECK(open_views(tenant, told));
        opened_.insert(tenant);
    }
    return {};
}

bool Node::is_open(const TenantId& tenant) {
    const std::shared_lock lock(opened_mutex_);
    return opened_.contains(tenant);
}

Result<void> Node::open_tenant(const TenantId& tenant) {
    if (is_open(tenant)) return {};
    BOS_CHECK(open_views(tenant, {}));
    {
        const std::unique_lock lock(opened_mutex_);
        opened_.insert(tenant);
    }
    // What was read while the views were opened was passed over.
    if (stores_.kafka != nullptr) log_grew(tenant);
    return {};
}

Result<void> Node::follow(const TenantId& tenant) {
    stores_.kafka->follow(tenant, [](const Result<void>&) {});
    return open_tenant(tenant);
}

void Node::renew(const TenantId& tenant, std::move_only_function<void(const Result<void>&)> done) {
    auto forget = [this, tenant, told = std::move(done)](Result<void> read) mutable {
        // A tenant that nobody has written to has no topic.
        if (!read && read.error().code != Code::not_found) return told(read);
        boost::asio::post(
            thread_of(tenant).context, [this, tenant, last = std::move(told)]() mutable {
                // Another owner may have erased a subject, or given one its key.
                if (const auto keys = stores_.keys->refresh(); !keys) return last(keys);
                shard_of(tenant).forget(tenant, [done = std::move(last)]() mutable { done({}); });
            });
    };
    stores_.kafka->catch_up(tenant, std::move(forget));
}

void Node::log_grew(const TenantId& tenant) {
    {
        const std::lock_guard lock(grew_mutex_);
        if (!grew_.insert(tenant).second) return;
    }
    boost::asio::post(thread_of(tenant).projecting, [this, tenant] {
        {
            const std::lock_guard lock(grew_mutex_);
            grew_.erase(tenant);
        }
        if (!is_open(tenant)) return;
        if (const auto applied = runner_.catch_up(tenant, *stores_.log); !applied) {
            spdlog::error("views of tenant {} stand still: {}", tenant.value(),
                          applied.error().detail);
            project_later(tenant);
        }
    });
}

Result<void> Node::settle() {
    return stores_.kafka == nullptr ? Result<void>() : stores_.kafka->settle();
}

projections::LogEnd Node::end_of_log(const TenantId& tenant) const {
    const bool known = stores_.kafka == nullptr || stores_.kafka->was_read(tenant);
    return known ? projections::LogEnd::known : projections::LogEnd::may_follow;
}

Result<void> Node::open_views(const TenantId& tenant, const projections::Progress& progress) {
    const auto opened = runner_.open(tenant, *stores_.log, progress, end_of_log(tenant));
    if (opened) return {};
    if (opened.error().code != Code::corrupt) return std::unexpected(opened.error());
    spdlog::warn("views of {} are built anew: {}", tenant.value(), opened.error().detail);
    runner_.close(tenant);
    BOS_CHECK(stores_.views->forget(tenant));
    BOS_CHECK(runner_.open(tenant, *stores_.log, progress));
    return {};
}

void Node::start() {
    running_ = true;
    const auto run = [](const char* name, boost::asio::io_context& context) {
        return std::thread([name, &context, work = boost::asio::make_work_guard(context)] {
            eventstore::this_thread_is(name);
            context.run();
        });
    };
    for (auto& shard : shards_) {
        shard->projector = run("projector", shard->projecting);
        shard->thread = run("shard", shard->context);
    }
}

bool Node::stop(std::chrono::milliseconds deadline) {
    if (!running_) return true;
    running_ = false;
    bool drained = true;
    const auto until = std::chrono::steady_clock::now() + deadline;
    for (auto& shard : shards_) {
        auto done = std::make_shared<std::promise<void>>();
        auto waiting = done->get_future();
        shard->shard->drain([done] { done->set_value(); });
        drained = waiting.wait_until(until) == std::future_status::ready && drained;
    }
    // Whatever still waits is answered by the log's own stop, so no command in flight stays without
    // an answer.
    stores_.log->stop();
    if (events_) events_->stop();
    const auto finish = [](boost::asio::io_context& context, std::thread& thread) {
        boost::asio::post(context, [&context] { context.stop(); });
        thread.join();
    };
    for (auto& shard : shards_) {
        finish(shard->projecting, shard->projector);
        finish(shard->context, shard->thread);
    }
    return drained;
}

Node::ShardThread& Node::thread_of(const TenantId& tenant) {
    return *shards_[std::hash<TenantId>{}(tenant) % shards_.size()];
}

commands::Shard& Node::shard_of(const TenantId& tenant) { return *thread_of(tenant).shard; }

std::size_t Node::commands_in_flight() const {
    std::size_t sum = 0;
    for (const auto& shard : shards_) sum += shard->shard->in_flight();
    return sum;
}

void Node::committed(const TenantId& tenant, std::vector<eventstore::Commit> commits,
                     Applied applied) {
    if (events_ && !commits.empty()) events_->committed(tenant, commits.back().position);
    if (!keeps_views_) return applied();
    ShardThread& thread = thread_of(tenant);
    auto work = [this, &thread, tenant, batch = std::move(commits),
                 told = std::move(applied)]() mutable {
        project(tenant, batch);
        boost::asio::post(thread.context, std::move(told));
    };
    boost::asio::post(thread.projecting, std::move(work));
}

void Node::project(const TenantId& tenant, std::span<const eventstore::Commit> commits) {
    const auto kept_up = runner_.keep_up(tenant, commits, *stores_.log);
    if (kept_up) return;
    spdlog::error("views of tenant {} stand still: {}", tenant.value(), kept_up.error().detail);
    project_later(tenant);
}

void Node::project_later(const TenantId& tenant) {
    ShardThread& thread = thread_of(tenant);
    if (!thread.behind.insert(tenant).second) return;
    auto timer = std::make_shared<boost::asio::steady_timer>(thread.projecting, between_tries);
    timer->async_wait([this, &thread, tenant, timer](const boost::system::error_code&) {
        thread.behind.erase(tenant);
        const auto opened = runner_.open(tenant, *stores_.log, {}, end_of_log(tenant));
        if (!opened) return project_later(tenant);
        spdlog::info("views of tenant {} go on at {}", tenant.value(), opened->value);
    });
}

}  // namespace bos::gateway
