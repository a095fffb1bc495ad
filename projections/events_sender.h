#pragma once

#include "eventstore/event_log.h"
#include "eventstore/kafka_producer.h"
#include "projections/events_topic.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bos::projections {

/// What is published, in figures.
struct EventsFigures {
    std::uint64_t published = 0;       ///< records acknowledged since the start
    std::uint64_t commits_behind = 0;  ///< of all tenants: in the log and not yet published
    std::size_t tenants = 0;           ///< that are published here
    std::size_t tenants_paused = 0;    ///< of them, those that wait after a failure
};

struct EventsOptions {
    std::string brokers;  ///< host:port, several with commas between
    /// Further settings of librdkafka, by its names: security.protocol, sasl.*, ssl.*.
    std::vector<std::pair<std::string, std::string>> properties = {};
    std::string topic_prefix = "bos.events.";
    int replication_factor = 3;  ///< of a new topic; min_insync_replicas too
    int min_insync_replicas = 2;
    std::chrono::milliseconds request_timeout{5'000};  ///< of one question to the cluster
    /// Without acknowledgement, of all tenants. One record is always sent when none is under way.
    std::size_t records_in_flight_max = 4096;
    std::size_t bytes_in_flight_max = 16 * 1024 * 1024;
    /// A tenant that cannot be published is tried again after this, then after twice as long …
    std::chrono::milliseconds retry_min{1'000};
    std::chrono::milliseconds retry_max{60'000};
    std::chrono::milliseconds stop_timeout{2'000};  ///< to wait for acknowledgements when stopping
    std::int64_t foreign_records_max = 10'000;      ///< see EventsTopics::Options
};

/// Sends the events of tenants to their topics, in order and without gaps: whatever is stored in a
/// topic has all events before it stored before it, also when records are lost on the way and when
/// this process ends at any moment. The argument is in ADR 0016.
///
/// Runs on: one thread.
class EventsSender {
  public:
    using Moment = std::chrono::steady_clock::time_point;

    /// `wake` is called, on any thread, when turn() has something to do. `log` outlives it.
    [[nodiscard]] static Result<std::unique_ptr<EventsSender>> open(const EventsOptions& options,
                                                                    const eventstore::EventLog& log,
                                                                    std::function<void()> wake);

    void begin(const TenantId& tenant);
    void end(const TenantId& tenant);
    /// The tenant's log ends at `head` or later.
    void grown(const TenantId& tenant, Position head);

    /// Takes what was reported and sends what there is room for. Looks at one topic at most, which
    /// blocks for a question to the cluster. False: there is more to do at once.
    [[nodiscard]] bool turn();
    void take_reports();

    /// When a tenant that failed is to be tried again.
    [[nodiscard]] std::optional<Moment> next_retry() const;
    [[nodiscard]] std::size_t in_flight() const { return records_in_flight_; }
    [[nodiscard]] const EventsFigures& figures() const { return figures_; }

    /// Tenants whose published position has changed since the last call; none = not known (any
    /// more).
    using Progress = std::map<TenantId, std::optional<Position>>;
    [[nodiscard]] Progress take_progress() { return std::exchange(progress_, {}); }

  private:
    using Report = eventstore::kafka::Producer::Report;

    struct Tenant;
    /// A record that was handed to the producer. Its report marks it; it leaves in order.
    struct Sent {
        Tenant* tenant;
        EventPlace place;
        std::size_t bytes;
        bool reported = false;
    };
    struct Tenant {
        TenantId id;
        std::string topic;
        Position head = {};           ///< of the log, as far as heard
        bool looked = false;          ///< `next` is known
        EventPlace next = {};         ///< the first event that was not sent
        std::deque<Sent> sent = {};   ///< under way
        bool proven = false;          ///< one of `sent` was acknowledged
        bool lost = false;            ///< one was not stored: all is awaited, then looked at anew
        bool from_first = false;      ///< the topic is not what it was: everything once more
        eventstore::Offset end = {};  ///< behind the newest record that was acknowledged
        bool queued = false;          ///< in ready_
        bool ended = false;
        std::chrono::milliseconds pause{0};   ///< after the last failure; 0 = it went well
        std::optional<Moment> retry_at = {};  ///< nothing before it
        std::uint64_t behind = 0;             ///< as counted in figures_
    };
    enum class Sending { all_sent, more_to_send, no_room, waits_for_proof };

    EventsSender(EventsOptions options, const eventstore::EventLog& log,
                 std::unique_ptr<EventsTopics> topics, std::function<void()> wake)
        : options_(std::move(options)),
          log_(log),
          topics_(std::move(topics)),
          wake_(std::move(wake)) {}

    [[nodiscard]] Result<void> open_producer();
    void replace_failed_producer();
    void take(const std::vector<Report>& reports);
    void take(Sent& sent, const Report& report);
    void make_ready(Tenant& tenant);
    void make_due_ready();
    [[nodiscard]] Result<Sending> publish(Tenant& tenant);
    [[nodiscard]] Result<void> look(Tenant& tenant);
    [[nodiscard]] Result<Sending> send(Tenant& tenant);
    [[nodiscard]] Result<Sending> send(Tenant& tenant, const eventstore::Commit& commit,
                                       std::size_t& portion);
    [[nodiscard]] Result<void> send(Tenant& tenant, const EventRecord& record,
                                    const EventPlace& place);
    /// Why the tenant's next record cannot be sent now.
    [[nodiscard]] std::optional<Sending> obstacle(const Tenant& tenant) const;
    void pause(Tenant& tenant, const Error& error);
    void went_well(Tenant& tenant);
    void count(Tenant& tenant);
    void forget(Tenant& tenant);

    const EventsOptions options_;
    const eventstore::EventLog& log_;
    const std::unique_ptr<EventsTopics> topics_;
    const std::function<void()> wake_;
    std::map<TenantId, Tenant> tenants_;
    std::deque<TenantId> ready_;  ///< each gets a portion, in turn
    std::multimap<Moment, TenantId> retries_;
    std::size_t records_in_flight_ = 0;
    std::size_t bytes_in_flight_ = 0;
    EventsFigures figures_;
    Progress progress_;
    std::unique_ptr<eventstore::kafka::Producer> producer_;  ///< reports into tenants_: goes first
};

}  // namespace bos::projections
