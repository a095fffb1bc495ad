#include "gateway/hold_timers.h"

#include "projections/leads/holds_view.h"

#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <mutex>

namespace bos::gateway {

namespace {

constexpr std::size_t due_at_a_time = 100;

using bos::leads::Hold;
using projections::leads::HoldsView;

Result<std::vector<Hold>> due_holds(Node& node, const TenantId& tenant) {
    BOS_TRY(const projections::ViewReader reader, node.views().read(tenant));
    std::vector<Hold> due;
    const Timestamp now = node.clock().now();
    BOS_CHECK(HoldsView::Due::scan(reader, [&](Hold&& hold) {
        if (hold.held_until > now || due.size() == due_at_a_time) return false;
        due.push_back(std::move(hold));
        return true;
    }));
    return due;
}

commands::Request resume(const TenantId& tenant, const Hold& hold, Uuid correlation) {
    leads::ResumeLead command;
    command.lead = hold.lead;
    command.generation = hold.generation;
    return {.tenant = tenant,
            .caller = {.actor = {.kind = ActorKind::system, .id = UserId{}},
                       .on_behalf_of = {},
                       .grants = {.permissions = {"leads:lead:update"}, .scope = Scope::all}},
            .command = leads::Command(command),
            // No client can send this key: theirs have no spaces.
            .key = fmt::format("timer leads.hold {} {}", to_string(hold.lead), hold.generation),
            .expected_version = {},
            .correlation = correlation,
            .causation = {},
            .depth = 1};
}

}  // namespace

class HoldTimers::State : public std::enable_shared_from_this<State> {
  public:
    State(boost::asio::any_io_executor executor, Node& node,
          std::function<bool(const TenantId&)> owns)
        : timer_(std::move(executor)), node_(node), owns_(std::move(owns)) {}

    void wait() {
        timer_.expires_after(std::chrono::seconds(1));
        timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
            if (error || !self->look()) return;
            self->wait();
        });
    }

    /// The timer, which is the executor's, finds out when it fires next.
    void stop() {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }

  private:
    /// False when it was stopped.
    bool look() {
        const std::lock_guard lock(mutex_);
        if (stopped_) return false;
        send_what_is_due();
        return true;
    }

    void send_what_is_due() {
        const auto tenants = node_.log().tenants();
        if (!tenants) return spdlog::warn("timers: {}", tenants.error().detail);
        for (const TenantId& tenant : *tenants) {
            if (!owns_(tenant)) continue;
            const auto due = due_holds(node_, tenant);
            if (!due) continue;  // the views are being opened; the next look comes in a second
            for (const Hold& hold : *due) {
                node_.shard_of(tenant).submit(
                    resume(tenant, hold, new_uuid(node_.clock().now(), node_.random())),
                    [](const commands::Outcome& outcome) {
                        if (!outcome) spdlog::info("timers: a hold could not be ended yet");
                    });
            }
        }
    }

    boost::asio::steady_timer timer_;
    Node& node_;
    const std::function<bool(const TenantId&)> owns_;
    std::mutex mutex_;      ///< held while it looks
    bool stopped_ = false;  ///< guarded by mutex_
};

HoldTimers::HoldTimers(boost::asio::any_io_executor executor, Node& node,
                       std::function<bool(const TenantId&)> owns)
    : state_(std::make_shared<State>(std::move(executor), node, std::move(owns))) {}

HoldTimers::~HoldTimers() { stop(); }

void HoldTimers::start() { state_->wait(); }

void HoldTimers::stop() { state_->stop(); }

}  // namespace bos::gateway
