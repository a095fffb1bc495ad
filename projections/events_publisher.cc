#include "projections/events_publisher.h"

#include "eventstore/this_thread.h"

#include <algorithm>
#include <utility>

namespace bos::projections {

Result<std::unique_ptr<EventsPublisher>> EventsPublisher::start(EventsOptions options,
                                                                const eventstore::EventLog& log) {
    std::unique_ptr<EventsPublisher> publisher(new EventsPublisher(std::move(options)));
    BOS_TRY(publisher->sender_, EventsSender::open(publisher->options_, log,
                                                   [self = publisher.get()] { self->wake(); }));
    publisher->thread_ = std::thread([self = publisher.get()] { self->run(); });
    return publisher;
}

EventsPublisher::~EventsPublisher() { stop(); }

void EventsPublisher::begin(const TenantId& tenant) {
    leave(tenant, [](Note& note) { note.own = true; });
}

void EventsPublisher::end(const TenantId& tenant) {
    leave(tenant, [](Note& note) { note.own = false; });
}

void EventsPublisher::committed(const TenantId& tenant, Position head) {
    leave(tenant, [&](Note& note) { note.head = std::max(note.head, head); });
}

template <class Change>
void EventsPublisher::leave(const TenantId& tenant, Change&& change) {
    {
        const std::lock_guard lock(mutex_);
        change(notes_[tenant]);
        awake_ = true;
    }
    woken_.notify_one();
}

std::optional<Position> EventsPublisher::published(const TenantId& tenant) const {
    const std::lock_guard lock(mutex_);
    const auto found = published_.find(tenant);
    return found == published_.end() ? std::nullopt : std::optional(found->second);
}

EventsFigures EventsPublisher::figures() const {
    const std::lock_guard lock(mutex_);
    return figures_;
}

void EventsPublisher::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake();
    if (thread_.joinable()) thread_.join();
}

void EventsPublisher::wake() {
    {
        const std::lock_guard lock(mutex_);
        awake_ = true;
    }
    woken_.notify_one();
}

void EventsPublisher::run() {
    eventstore::this_thread_is("events");
    while (!stopping()) {
        take_notes();
        const bool rests = sender_->turn();
        tell();
        if (rests) wait(sender_->next_retry());
    }
    const auto until = std::chrono::steady_clock::now() + options_.stop_timeout;
    while (sender_->in_flight() > 0 && std::chrono::steady_clock::now() < until) {
        wait(until);
        sender_->take_reports();
    }
    tell();
}

void EventsPublisher::take_notes() {
    std::map<TenantId, Note> notes;
    {
        const std::lock_guard lock(mutex_);
        notes.swap(notes_);
    }
    for (const auto& [tenant, note] : notes) {
        if (note.own == false) sender_->end(tenant);
        if (note.own == true) sender_->begin(tenant);
        sender_->grown(tenant, note.head);
    }
}

void EventsPublisher::tell() {
    const EventsSender::Progress progress = sender_->take_progress();
    const std::lock_guard lock(mutex_);
    figures_ = sender_->figures();
    for (const auto& [tenant, position] : progress) {
        if (position) {
            published_[tenant] = *position;
        } else {
            published_.erase(tenant);
        }
    }
}

void EventsPublisher::wait(std::optional<EventsSender::Moment> until) {
    std::unique_lock lock(mutex_);
    const auto called = [this] { return awake_; };
    if (until) {
        woken_.wait_until(lock, *until, called);
    } else {
        woken_.wait(lock, called);
    }
    awake_ = false;
}

bool EventsPublisher::stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
}

}  // namespace bos::projections
