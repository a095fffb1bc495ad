#include "eventstore/kafka_inbox.h"

#include <utility>

namespace bos::eventstore {

namespace {

// Less than a round trip to a broker.
constexpr auto gathering = std::chrono::microseconds(200);

}  // namespace

void KafkaInbox::append(std::string record, AppendDone done) {
    auto append = std::make_shared<KafkaAppend>();
    append->done = std::move(done);
    if (Result<RecordIndex> index = index_of(record)) {
        append->record = IndexedRecord{.bytes = std::move(record), .index = *std::move(index)};
    } else {
        append->refusal = Error{Code::invalid, std::move(index).error().detail};
    }
    std::unique_lock lock(mutex_);
    if (append->record && !append->refusal && !admit(append->record->bytes.size())) {
        append->refusal = Error{Code::unavailable,
                                mail_.stopping ? "the log is stopping" : "the log's queue is full"};
        append->record->bytes = {};  // a refused one takes no place, so it holds no bytes
    }
    post(std::move(append), Urgent::no, std::move(lock));
}

void KafkaInbox::confirm(const TenantId& tenant, const Head& end, AppendDone done) {
    auto append = std::make_shared<KafkaAppend>();
    append->done = std::move(done);
    append->question = KafkaAppend::Question{.tenant = tenant, .end = end};
    std::unique_lock lock(mutex_);
    if (mail_.stopping) append->refusal = Error{Code::unavailable, "the log is stopping"};
    post(std::move(append), Urgent::yes, std::move(lock));
}

void KafkaInbox::post(KafkaAppendPtr append, Urgent urgent, std::unique_lock<std::mutex> lock) {
    if (!closed_) {
        mail_.appends.push_back(std::move(append));
        if (urgent == Urgent::yes) return notify(std::move(lock));
        // Those behind the first one find the thread at work, or waiting for more of them.
        const bool wakes = waiting_ && mail_.appends.size() == 1;
        lock.unlock();
        if (wakes) changed_.notify_one();
        return;
    }
    lock.unlock();
    append->done(std::unexpected(append->refusal.value_or(Error{})));
}

bool KafkaInbox::admit(std::size_t bytes) {
    const bool room =
        records_ == 0 || (records_ < bounds_.records_max && bytes_ + bytes <= bounds_.bytes_max);
    if (mail_.stopping || !room) return false;
    ++records_;
    bytes_ += bytes;
    return true;
}

void KafkaInbox::follow(Follow follow) {
    std::unique_lock lock(mutex_);
    if (!closed_) {
        mail_.follows.push_back(std::move(follow));
        return notify(std::move(lock));
    }
    lock.unlock();
    follow.done(fail(Code::unavailable, "the log is stopped"));
}

void KafkaInbox::ended(Ended ended) {
    std::unique_lock lock(mutex_);
    mail_.ended.push_back(std::move(ended));
    notify(std::move(lock));
}

void KafkaInbox::keyed(Keyed keyed) {
    std::unique_lock lock(mutex_);
    mail_.keyed.push_back(std::move(keyed));
    notify(std::move(lock));
}

void KafkaInbox::opened(Opened opened) {
    std::unique_lock lock(mutex_);
    mail_.opened.push_back(std::move(opened));
    notify(std::move(lock));
}

void KafkaInbox::wake() { notify(std::unique_lock(mutex_)); }

void KafkaInbox::stop() {
    std::unique_lock lock(mutex_);
    mail_.stopping = true;
    notify(std::move(lock));
}

/// A thread that is at work looks again by itself. One that waits finds the lock free.
void KafkaInbox::notify(std::unique_lock<std::mutex> lock) {
    woken_ = true;
    const bool waiting = waiting_;
    lock.unlock();
    if (waiting) changed_.notify_one();
}

KafkaInbox::Mail KafkaInbox::take(std::optional<std::chrono::steady_clock::time_point> until,
                                  bool expects_news) {
    std::unique_lock lock(mutex_);
    const auto has_mail = [this] { return woken_ || !mail_.appends.empty(); };
    waiting_ = true;
    if (until) {
        changed_.wait_until(lock, *until, has_mail);
    } else {
        changed_.wait(lock, has_mail);
    }
    if (expects_news) changed_.wait_for(lock, gathering, [this] { return woken_; });
    waiting_ = false;
    woken_ = false;
    return std::exchange(mail_, Mail{.stopping = mail_.stopping});
}

void KafkaInbox::answered(const std::vector<KafkaBurst::Answer>& answers) {
    const std::lock_guard lock(mutex_);
    for (const KafkaBurst::Answer& answer : answers) {
        if (!answer.append->record || answer.append->record->bytes.empty()) continue;
        --records_;
        bytes_ -= answer.append->record->bytes.size();
    }
}

KafkaInbox::Mail KafkaInbox::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    return std::exchange(mail_, Mail{.stopping = true});
}

}  // namespace bos::eventstore
