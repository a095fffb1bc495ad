#pragma once

#include "projections/events_sender.h"

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace bos::projections {

/// Publishes the events of tenants to a Kafka topic for each, bos.events.<tenant>, for readers that
/// know nothing of logs: one record an event, valid events only, in their order, at least once
/// (docs/events.md).
///
/// No cursor is stored. Whoever begins with a tenant reads the newest record of its topic and goes
/// on behind it, so a new owner continues where the old one stopped. Two publishers of one tenant
/// give repeats and never a gap.
///
/// Thread-safe. It works on a thread of its own; what others call leaves a note for it and returns.
class EventsPublisher {
  public:
    /// Needs no broker to be there. `log` outlives it. Errors: invalid = a property that librdkafka
    /// does not take.
    [[nodiscard]] static Result<std::unique_ptr<EventsPublisher>> start(
        EventsOptions options, const eventstore::EventLog& log);
    ~EventsPublisher();
    EventsPublisher(const EventsPublisher&) = delete;
    EventsPublisher& operator=(const EventsPublisher&) = delete;

    /// The tenant is published here from now on; it need not have a record yet. Again: no effect.
    void begin(const TenantId& tenant);
    /// Here no more. What is under way may still arrive.
    void end(const TenantId& tenant);
    /// The tenant's log has grown to `head`. A hint, for tenants that were begun; costs a short
    /// lock.
    void committed(const TenantId& tenant, Position head);

    /// Every event up to this commit is acknowledged. None when that is not known: the topic was
    /// not looked at yet, or the tenant is not published here.
    [[nodiscard]] std::optional<Position> published(const TenantId& tenant) const;

    [[nodiscard]] EventsFigures figures() const;

    /// Waits for what is under way, for stop_timeout and a question to the cluster at most, and
    /// ends the thread. Idempotent. What was not published is, by whoever begins with the tenant
    /// next.
    void stop();

  private:
    /// What was asked for since the last turn; one for each tenant at most.
    struct Note {
        std::optional<bool> own;
        Position head;
    };

    explicit EventsPublisher(EventsOptions options) : options_(std::move(options)) {}
    template <class Change>
    void leave(const TenantId& tenant, Change&& change);
    void wake();
    // Runs on: the publisher's thread.
    void run();
    void take_notes();
    void tell();
    void wait(std::optional<EventsSender::Moment> until);
    [[nodiscard]] bool stopping() const;

    const EventsOptions options_;

    mutable std::mutex mutex_;  ///< guards what follows
    std::condition_variable woken_;
    std::map<TenantId, Note> notes_;
    std::map<TenantId, Position> published_;
    EventsFigures figures_;
    bool awake_ = false;
    bool stopping_ = false;

    std::unique_ptr<EventsSender> sender_;  ///< the thread's own
    std::thread thread_;
};

}  // namespace bos::projections
