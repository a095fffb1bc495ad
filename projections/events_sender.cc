#include "projections/events_sender.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>

namespace bos::projections {

namespace {

namespace kafka = eventstore::kafka;

// Of one tenant, before the next one has its turn.
constexpr std::size_t portion_records_max = 256;
constexpr Position last_position{std::numeric_limits<std::uint64_t>::max()};

kafka::Properties properties_of(const EventsOptions& options) {
    kafka::Properties all = options.properties;
    all.emplace_back("bootstrap.servers", options.brokers);
    return all;
}

}  // namespace

Result<std::unique_ptr<EventsSender>> EventsSender::open(const EventsOptions& options,
                                                         const eventstore::EventLog& log,
                                                         std::function<void()> wake) {
    BOS_TRY(auto topics, EventsTopics::open({.properties = properties_of(options),
                                             .prefix = options.topic_prefix,
                                             .replicas = options.replication_factor,
                                             .min_insync_replicas = options.min_insync_replicas,
                                             .timeout = options.request_timeout,
                                             .foreign_records_max = options.foreign_records_max}));
    std::unique_ptr<EventsSender> sender(
        new EventsSender(options, log, std::move(topics), std::move(wake)));
    BOS_CHECK(sender->open_producer());
    return sender;
}

Result<void> EventsSender::open_producer() {
    BOS_TRY(producer_, kafka::Producer::open({.properties = properties_of(options_),
                                              .record_bytes_max = eventstore::record_bytes_max,
                                              .records_max = options_.records_in_flight_max,
                                              .gapless = true},
                                             wake_));
    return {};
}

void EventsSender::begin(const TenantId& tenant) {
    auto [found, added] =
        tenants_.try_emplace(tenant, Tenant{.id = tenant, .topic = topics_->name_of(tenant)});
    if (added) {
        ++figures_.tenants;
    } else if (found->second.ended) {
        // Another may have published since.
        found->second.ended = false;
        found->second.lost = true;
        found->second.looked = false;
    }
    make_ready(found->second);
}

void EventsSender::end(const TenantId& tenant) {
    const auto found = tenants_.find(tenant);
    if (found == tenants_.end()) return;
    found->second.ended = true;
    if (found->second.sent.empty()) forget(found->second);
}

void EventsSender::forget(Tenant& tenant) {
    went_well(tenant);
    figures_.commits_behind -= tenant.behind;
    --figures_.tenants;
    progress_[tenant.id] = std::nullopt;
    tenants_.erase(TenantId(tenant.id));
}

void EventsSender::grown(const TenantId& tenant, Position head) {
    const auto found = tenants_.find(tenant);
    if (found == tenants_.end() || head <= found->second.head) return;
    found->second.head = head;
    count(found->second);
    make_ready(found->second);
}

void EventsSender::make_ready(Tenant& tenant) {
    if (tenant.queued || tenant.ended || tenant.retry_at || tenant.lost) return;
    tenant.queued = true;
    ready_.push_back(tenant.id);
}

void EventsSender::make_due_ready() {
    const Moment now = std::chrono::steady_clock::now();
    while (!retries_.empty() && retries_.begin()->first <= now) {
        const auto [moment, tenant] = *retries_.begin();
        retries_.erase(retries_.begin());
        const auto found = tenants_.find(tenant);
        if (found == tenants_.end() || found->second.retry_at != moment) continue;
        found->second.retry_at.reset();
        make_ready(found->second);
    }
}

std::optional<EventsSender::Moment> EventsSender::next_retry() const {
    if (retries_.empty()) return std::nullopt;
    return retries_.begin()->first;
}

void EventsSender::pause(Tenant& tenant, const Error& error) {
    if (tenant.retry_at) return;
    if (tenant.pause.count() == 0) ++figures_.tenants_paused;
    tenant.pause = std::clamp(2 * tenant.pause, options_.retry_min, options_.retry_max);
    tenant.retry_at = std::chrono::steady_clock::now() + tenant.pause;
    retries_.emplace(*tenant.retry_at, tenant.id);
    spdlog::warn("events of {} are not published, again in {} ms: {}", tenant.id.value(),
                 tenant.pause.count(), error.detail);
}

void EventsSender::went_well(Tenant& tenant) {
    if (tenant.pause.count() == 0) return;
    tenant.pause = std::chrono::milliseconds(0);
    --figures_.tenants_paused;
}

bool EventsSender::turn() {
    take_reports();
    replace_failed_producer();
    make_due_ready();
    for (std::size_t turns = ready_.size(); turns > 0; --turns) {
        const auto found = tenants_.find(ready_.front());
        ready_.pop_front();
        if (found == tenants_.end()) continue;
        Tenant& tenant = found->second;
        tenant.queued = false;
        if (tenant.ended || tenant.retry_at || tenant.lost) continue;
        const bool looks = !tenant.looked;
        const Result<Sending> sending = publish(tenant);
        count(tenant);
        if (!sending) {
            pause(tenant, sending.error());
        } else if (*sending == Sending::more_to_send || *sending == Sending::no_room) {
            make_ready(tenant);
        }
        if (sending && *sending == Sending::no_room) return true;  // until reports come
        if (looks) break;
    }
    return ready_.empty();
}

Result<EventsSender::Sending> EventsSender::publish(Tenant& tenant) {
    if (!tenant.looked) BOS_CHECK(look(tenant));
    if (!tenant.looked) return Sending::all_sent;
    return send(tenant);
}

Result<void> EventsSender::look(Tenant& tenant) {
    BOS_TRY(const eventstore::Head head, log_.head(tenant.id));
    if (head.position.value == 0) return {};  // a topic comes to be with the first event
    tenant.head = std::max(tenant.head, head.position);
    BOS_CHECK(topics_->ensure(tenant.topic));
    BOS_TRY(const eventstore::Offset end, topics_->end(tenant.topic));
    // A topic that ends before a record that was stored in it is another one.
    if (end < tenant.end) tenant.from_first = true;
    std::optional<EventPlace> last;
    if (!tenant.from_first) {
        BOS_TRY(last, topics_->last_published(tenant.id, log_));
    }
    BOS_CHECK(producer_->warm_up(tenant.topic, static_cast<int>(options_.request_timeout.count())));
    tenant.next = last ? EventPlace{last->position, last->index + 1} : EventPlace{Position{1}, 0};
    tenant.end = end;
    tenant.from_first = false;
    tenant.looked = true;
    spdlog::debug("events of {} are published from {}/{} on", tenant.id.value(),
                  tenant.next.position.value, tenant.next.index);
    return {};
}

std::optional<EventsSender::Sending> EventsSender::obstacle(const Tenant& tenant) const {
    // A broker takes a producer's first batch in any order. So nothing follows the first record of
    // a burst before it is acknowledged; after it, what is out of order is refused.
    if (!tenant.sent.empty() && !tenant.proven) return Sending::waits_for_proof;
    if (records_in_flight_ > 0 && (records_in_flight_ >= options_.records_in_flight_max ||
                                   bytes_in_flight_ >= options_.bytes_in_flight_max)) {
        return Sending::no_room;
    }
    return std::nullopt;
}

Result<EventsSender::Sending> EventsSender::send(Tenant& tenant) {
    std::size_t portion = 0;
    Result<Sending> sending = Sending::all_sent;
    const auto scanned = log_.scan(
        tenant.id, tenant.next.position, last_position, [&](Position, std::string_view record) {
            const auto commit = eventstore::decode(record);
            sending = commit ? send(tenant, *commit, portion) : std::unexpected(commit.error());
            return sending && *sending == Sending::all_sent;
        });
    if (!scanned) return std::unexpected(scanned.error());
    return sending;
}

Result<EventsSender::Sending> EventsSender::send(Tenant& tenant, const eventstore::Commit& commit,
                                                 std::size_t& portion) {
    for (std::uint32_t index = tenant.next.index; index < commit.events.size(); ++index) {
        if (const auto reason = obstacle(tenant)) return *reason;
        if (portion == portion_records_max) return Sending::more_to_send;
        BOS_CHECK(send(tenant, event_record(commit, index), {commit.position, index}));
        tenant.next.index = index + 1;
        ++portion;
    }
    tenant.next = {commit.position.next(), 0};
    tenant.head = std::max(tenant.head, commit.position);
    return Sending::all_sent;
}

Result<void> EventsSender::send(Tenant& tenant, const EventRecord& record,
                                const EventPlace& place) {
    Sent& sent =
        tenant.sent.emplace_back(Sent{.tenant = &tenant, .place = place, .bytes = record.bytes()});
    const auto produced = producer_->produce(
        tenant.topic,
        {.key = record.key, .value = record.value, .headers = record.headers, .time = record.time},
        &sent);
    if (!produced) {
        tenant.sent.pop_back();
        return produced;
    }
    ++records_in_flight_;
    bytes_in_flight_ += sent.bytes;
    return {};
}

void EventsSender::take_reports() { take(producer_->poll()); }

void EventsSender::replace_failed_producer() {
    if (!producer_->failed()) return;
    take(producer_->abandon());
    if (const auto opened = open_producer(); !opened) {
        spdlog::error("events are not published: {}", opened.error().detail);
    }
}

void EventsSender::take(const std::vector<Report>& reports) {
    for (const Report& report : reports) take(*static_cast<Sent*>(report.message), report);
}

void EventsSender::take(Sent& sent, const Report& report) {
    Tenant& tenant = *sent.tenant;
    sent.reported = true;
    --records_in_flight_;
    bytes_in_flight_ -= sent.bytes;
    if (report.offset && *report.offset >= tenant.end) {
        ++figures_.published;
        tenant.end = report.offset->next();
        tenant.proven = true;
        if (!tenant.lost) went_well(tenant);
    } else {
        // Stored before a record that was stored earlier: the topic was made anew.
        if (report.offset) tenant.from_first = true;
        pause(tenant, {Code::unavailable, std::string(report.why)});
        tenant.lost = true;
        tenant.looked = false;
    }
    while (!tenant.sent.empty() && tenant.sent.front().reported) tenant.sent.pop_front();
    if (tenant.sent.empty()) {
        tenant.proven = false;
        tenant.lost = false;
    }
    count(tenant);
    if (tenant.ended && tenant.sent.empty()) return forget(tenant);
    if (!tenant.looked || tenant.next.position <= tenant.head) make_ready(tenant);
}

void EventsSender::count(Tenant& tenant) {
    const Position before{tenant.next.position.value - 1};
    const Position published =
        tenant.sent.empty() ? before : Position{tenant.sent.front().place.position.value - 1};
    const bool known = tenant.looked && !tenant.lost;
    // A replica may not have been read again yet to where its events were published.
    const std::uint64_t behind =
        known && tenant.head > published ? tenant.head.value - published.value : 0;
    figures_.commits_behind += behind - tenant.behind;
    tenant.behind = behind;
    progress_[tenant.id] = known ? std::optional(published) : std::nullopt;
}

}  // namespace bos::projections
