#include "eventstore/kafka_shared_topic.h"

#include "eventstore/kafka_topic.h"
#include "eventstore/this_thread.h"
#include "schemas/base/digest.h"
#include "schemas/base/keys.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <future>
#include <utility>

namespace bos::eventstore::kafka {

namespace {

constexpr std::size_t messages_max = 4096;
constexpr auto tick = std::chrono::milliseconds(1'000);
constexpr auto retry_every = std::chrono::milliseconds(1'000);
constexpr auto look_every = std::chrono::milliseconds(5);
// Nothing else waits for a request of this consumer, and what is appended ends the wait at once.
constexpr auto fetch_wait = std::chrono::milliseconds(500);
// Batch and record headers around the largest record.
constexpr std::size_t batch_room_bytes = 64 * 1024;

constexpr std::string_view a_day_ms = "86400000";
constexpr std::string_view a_week_ms = "604800000";

WantedTopic wanted_topic(const SharedTopic::Options& options) {
    WantedTopic wanted{.name = options.topic, .partitions = 1, .replicas = options.replicas};
    wanted.settings = {
        {"unclean.leader.election.enable", "false"},
        {"min.insync.replicas", std::to_string(options.min_insync_replicas)},
        {"max.message.bytes", std::to_string(options.record_bytes_max + batch_room_bytes)}};
    if (options.keep == SharedTopic::Keep::all) {
        wanted.settings.insert(
            {{"cleanup.policy", "delete"}, {"retention.ms", "-1"}, {"retention.bytes", "-1"}});
    } else {
        wanted.settings.insert({{"cleanup.policy", "compact"},
                                {"segment.ms", std::string(a_day_ms)},
                                {"max.compaction.lag.ms", std::string(a_day_ms)},
                                {"delete.retention.ms", std::string(a_week_ms)}});
    }
    return wanted;
}

Hash hash_of(const SharedTopic::Record& record) {
    KeyWriter bytes;
    bytes.u32(static_cast<std::uint32_t>(record.key.size())).raw(record.key);
    bytes.raw(record.value.value_or(""));
    return sha256(bytes.bytes());
}

SharedTopic::Record record_of(const Consumer::Message& message) {
    return {.offset = message.offset,
            .key = message.key,
            .value = message.null ? std::nullopt : std::optional(message.bytes)};
}

}  // namespace

std::string SharedTopic::to_bytes(const Place& place) {
    return KeyWriter()
        .text(place.cluster)
        .i64(place.next.value)
        .i64(place.first.value)
        .hash(place.first_hash)
        .take();
}

std::optional<SharedTopic::Place> SharedTopic::parse_place(std::string_view bytes) {
    KeyReader reader(bytes);
    Place place;
    if (!reader.text(place.cluster) || !reader.i64(place.next.value) ||
        !reader.i64(place.first.value) || reader.rest().size() != place.first_hash.bytes.size()) {
        return std::nullopt;
    }
    std::ranges::copy(reader.rest(), place.first_hash.bytes.begin());
    return place;
}

SharedTopic::SharedTopic(Options options, std::optional<Place> place, Apply apply)
    : options_(std::move(options)),
      apply_(std::move(apply)),
      next_(place ? place->next : Offset{}),
      place_(std::move(place)) {}

Result<std::unique_ptr<SharedTopic>> SharedTopic::open(Options options, std::optional<Place> place,
                                                       Apply apply) {
    const bool has_copy = place.has_value();
    auto topic = std::unique_ptr<SharedTopic>(
        new SharedTopic(std::move(options), std::move(place), std::move(apply)));
    const auto wake = [self = topic.get()] { self->wake(); };
    BOS_TRY(topic->consumer_, Consumer::open(topic->options_.properties, wake, fetch_wait));
    BOS_TRY(topic->producer_, Producer::open({.properties = topic->options_.properties,
                                              .timeout = topic->options_.timeout,
                                              .record_bytes_max = topic->options_.record_bytes_max,
                                              .records_max = topic->options_.records_max},
                                             wake));
    Result<void> reached = topic->first_connect();
    if (!reached) topic->disconnect(reached.error());
    const bool may_be_late = has_copy && (reached || reached.error().code == Code::unavailable);
    if (!reached && !may_be_late) return std::unexpected(reached.error());
    topic->thread_ = std::thread([self = topic.get()] { self->run(); });
    if (reached) reached = topic->refresh();
    if (!reached && !may_be_late) return std::unexpected(reached.error());
    return topic;
}

SharedTopic::~SharedTopic() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    woken_.notify_all();
    moved_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void SharedTopic::wake() {
    {
        const std::lock_guard lock(mutex_);
        work_ = true;
    }
    woken_.notify_one();
}

// --- on any thread -----------------------------------------------------------------------------

Result<void> SharedTopic::append(Row row, Done done) {
    {
        const std::lock_guard lock(mutex_);
        if (refusal_) return fail(Code::unavailable, refusal_->detail);
        if (stopping_ || under_way_ >= options_.records_max) {
            return fail(Code::unavailable, "too much waits to be written to " + options_.topic);
        }
        ++under_way_;
        outbox_.push_back(
            std::make_unique<Entry>(Entry{.row = std::move(row), .done = std::move(done)}));
        if (is_sending()) return {};  // the last report of that leads to this one
        work_ = true;
    }
    woken_.notify_one();
    return {};
}

void SharedTopic::flush(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    moved_.wait_for(lock, timeout, [this] { return under_way_ == 0; });
}

Result<Offset> SharedTopic::append(std::vector<Row> rows) {
    std::vector<std::future<Result<Offset>>> outcomes;
    Result<Offset> last = Offset{-1};
    for (Row& row : rows) {
        std::promise<Result<Offset>> promise;
        std::future<Result<Offset>> outcome = promise.get_future();
        const Result<void> taken =
            append(std::move(row), [promise = std::move(promise)](Result<Offset> stored) mutable {
                promise.set_value(std::move(stored));
            });
        if (!taken) {
            last = std::unexpected(taken.error());
            break;
        }
        outcomes.push_back(std::move(outcome));
    }
    for (std::future<Result<Offset>>& outcome : outcomes) {
        Result<Offset> each = outcome.get();
        if (last) last = std::move(each);
    }
    return last;
}

Result<void> SharedTopic::wait_for(Offset offset) {
    std::unique_lock lock(mutex_);
    return wait_until_read(lock, offset.next(), options_.timeout);
}

Result<void> SharedTopic::refresh(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    BOS_TRY(const Offset end, end_at_call(lock, timeout));
    return wait_until_read(lock, end, timeout);
}

/// An end that the topic had at some time after the call began.
Result<Offset> SharedTopic::end_at_call(std::unique_lock<std::mutex>& lock,
                                        std::chrono::milliseconds timeout) {
    const std::uint64_t ticket = ++asked_;
    const Instant until = std::chrono::steady_clock::now() + timeout;
    while (answered_ < ticket) {
        if (refusal_) return fail(Code::unavailable, refusal_->detail);
        if (!end_ && asking_) return end_;  // it did not answer, and may not answer now
        if (!asking_) {
            asking_ = true;
            const std::uint64_t covered = asked_;
            lock.unlock();
            Result<Offset> end = ask_for(RD_KAFKA_OFFSET_END, timeout);
            lock.lock();
            asking_ = false;
            answered_ = covered;
            end_ = std::move(end);
            moved_.notify_all();
        } else if (moved_.wait_until(lock, until) == std::cv_status::timeout) {
            return fail(Code::unavailable, options_.topic + ": no answer");
        }
    }
    return end_;
}

std::shared_ptr<Producer> SharedTopic::producer() const {
    const std::lock_guard lock(mutex_);
    return producer_;
}

/// `end` is one of librdkafka's two names for ends. Asked on the producer's connection: on the
/// consumer's the answer would come after the request for data that waits there.
Result<Offset> SharedTopic::ask_for(std::int64_t end, std::chrono::milliseconds timeout) const {
    const std::shared_ptr<Producer> asker = producer();
    BOS_TRY(const std::int64_t offset,
            ask_for_offset(asker->handle(), options_.topic, end, timeout));
    return Offset{offset};
}

Result<void> SharedTopic::wait_until_read(std::unique_lock<std::mutex>& lock, Offset end,
                                          std::chrono::milliseconds silence) {
    while (next_ < end) {
        if (stopping_) return fail(Code::unavailable, options_.topic + " is closed");
        if (refusal_) return fail(Code::unavailable, refusal_->detail);
        const Offset before = next_;
        const bool moved =
            moved_.wait_for(lock, silence, [&] { return next_ > before || refusal_ || stopping_; });
        if (!moved) return fail(Code::unavailable, options_.topic + " is not read");
    }
    return {};
}

// --- on the topic's thread, or before it runs --------------------------------------------------

/// A topic that was just made is not known to every broker at once.
Result<void> SharedTopic::first_connect() {
    const Instant until = std::chrono::steady_clock::now() + options_.timeout;
    while (true) {
        Result<void> reached = connect();
        if (reached || std::chrono::steady_clock::now() >= until) return reached;
        const Code why = reached.error().code;
        if (why != Code::unavailable && why != Code::not_found) return reached;
        std::this_thread::sleep_for(look_every);
    }
}

Result<void> SharedTopic::connect() {
    const int timeout_ms = static_cast<int>(options_.timeout.count());
    char* answered = rd_kafka_clusterid(consumer_->handle(), timeout_ms);
    if (!answered) return fail(Code::unavailable, "no Kafka broker has answered");
    const std::string cluster = answered;
    rd_kafka_mem_free(consumer_->handle(), answered);
    if (place_ && place_->cluster != cluster) {
        return fail(Code::corrupt,
                    fmt::format("this is the Kafka cluster {}; the copy of {} was read from {}. "
                                "Connect to that one",
                                cluster, options_.topic, place_->cluster));
    }
    const bool was_read = place_ && place_->first.value >= 0;
    BOS_CHECK(prepare_topic(consumer_->handle(), wanted_topic(options_),
                            was_read ? Missing::refuse : Missing::create, options_.timeout));
    BOS_TRY(const Offset low, ask_for(RD_KAFKA_OFFSET_BEGINNING, options_.timeout));
    BOS_TRY(const Offset high, ask_for(RD_KAFKA_OFFSET_END, options_.timeout));
    BOS_CHECK(check_place(low, high));
    BOS_CHECK(producer_->warm_up(options_.topic, timeout_ms));
    if (!place_) {
        place_ = Place{.cluster = cluster, .next = low, .first = Offset{-1}, .first_hash = {}};
    }
    BOS_CHECK(consumer_->start(options_.topic, place_->next, this));
    connected_ = true;
    const std::lock_guard lock(mutex_);
    refusal_.reset();
    return {};
}

Result<void> SharedTopic::check_place(Offset low, Offset high) {
    if (!place_ || place_->first.value < 0) return {};
    if (high < place_->next) {
        return fail(Code::corrupt,
                    fmt::format("{} ends at offset {}, and was read up to {} before: records are "
                                "lost, or it was made anew. To do: restore it",
                                options_.topic, high.value, place_->next.value));
    }
    const Result<void> same =
        place_->first < low ? Result<void>(fail(Code::corrupt, "")) : check_first();
    if (same || same.error().code != Code::corrupt) return same;
    return fail(Code::corrupt, fmt::format("{} does not begin with the record that it began with "
                                           "when it was read before: it was made anew. To do: "
                                           "restore it",
                                           options_.topic));
}

Result<void> SharedTopic::check_first() {
    BOS_CHECK(consumer_->start(options_.topic, place_->first, this));
    Result<void> outcome = fail(Code::unavailable, options_.topic + " is not read");
    const Instant until = std::chrono::steady_clock::now() + options_.timeout;
    for (bool found = false; !found && std::chrono::steady_clock::now() < until;) {
        const auto& messages = consumer_->take(1);
        if (messages.empty()) {
            std::unique_lock lock(mutex_);
            woken_.wait_for(lock, look_every);
            continue;
        }
        const Consumer::Message& message = messages.front();
        if (message.kind == Consumer::Message::Kind::failed) continue;
        found = true;
        const bool same = message.kind == Consumer::Message::Kind::record &&
                          message.offset == place_->first &&
                          hash_of(record_of(message)) == place_->first_hash;
        outcome = same ? Result<void>() : fail(Code::corrupt, "");
    }
    consumer_->stop(options_.topic);
    return outcome;
}

void SharedTopic::disconnect(Error why) {
    if (connected_) consumer_->stop(options_.topic);
    connected_ = false;
    retry_at_ = std::chrono::steady_clock::now() + retry_every;
    bool is_new = false;
    {
        const std::lock_guard lock(mutex_);
        is_new = !refusal_ || refusal_->detail != why.detail;
        refusal_ = why;
    }
    moved_.notify_all();
    if (is_new) spdlog::warn("{}: {}", options_.topic, why.detail);
}

void SharedTopic::run() {
    this_thread_is("shared topic");
    while (true) {
        std::deque<std::unique_ptr<Entry>> outbox;
        {
            std::unique_lock lock(mutex_);
            woken_.wait_for(lock, tick, [this] { return work_ || stopping_; });
            if (stopping_) break;
            work_ = false;
            if (!is_sending()) outbox.swap(outbox_);
        }
        send(std::move(outbox));
        take_reports();
        if (!connected_ && std::chrono::steady_clock::now() >= retry_at_) {
            if (const Result<void> reached = connect(); !reached) disconnect(reached.error());
        }
        if (connected_) take_messages();
    }
    give_up();
}

void SharedTopic::send(std::deque<std::unique_ptr<Entry>> entries) {
    for (std::unique_ptr<Entry>& entry : entries) {
        const Row& row = entry->row;
        const auto sent = producer_->produce(
            options_.topic, row.key,
            row.value ? std::optional<std::string_view>(*row.value) : std::nullopt, entry.get());
        if (sent) {
            std::ignore = entry.release();  // its report brings it back
            continue;
        }
        settle(*entry, fail(Code::unavailable, sent.error().detail));
    }
}

void SharedTopic::take_reports() {
    for (const Producer::Report& report : producer_->poll()) answer(report);
    if (!producer_->failed()) return;
    auto fresh = Producer::open({.properties = options_.properties,
                                 .timeout = options_.timeout,
                                 .record_bytes_max = options_.record_bytes_max,
                                 .records_max = options_.records_max},
                                [this] { wake(); });
    if (!fresh) {
        spdlog::error("{}: no new producer: {}", options_.topic, fresh.error().detail);
        return;
    }
    spdlog::warn("{}: the producer failed for good and is replaced", options_.topic);
    for (const Producer::Report& report : producer_->abandon()) answer(report);
    const std::shared_ptr<Producer> old = producer();  // goes when nobody asks with it any more
    const std::lock_guard lock(mutex_);
    producer_ = *std::move(fresh);
}

void SharedTopic::answer(const Producer::Report& report) {
    const std::unique_ptr<Entry> entry(static_cast<Entry*>(report.message));
    if (report.offset) return settle(*entry, *report.offset);
    settle(*entry, fail(Code::unknown, fmt::format("{}: {}", options_.topic, report.why)));
}

void SharedTopic::settle(Entry& entry, Result<Offset> outcome) {
    {
        const std::lock_guard lock(mutex_);
        --under_way_;
        work_ |= !is_sending() && !outbox_.empty();
    }
    moved_.notify_all();
    entry.done(std::move(outcome));
}

void SharedTopic::take_messages() {
    using Kind = Consumer::Message::Kind;
    const std::vector<Consumer::Message>& messages = consumer_->take(messages_max);
    std::vector<Record> records;
    std::optional<Offset> end;
    std::optional<Error> gone;
    for (const Consumer::Message& message : messages) {
        if (message.reader != this) continue;
        if (message.kind == Kind::record && message.offset >= place_->next) {
            records.push_back(record_of(message));
        }
        if (message.kind == Kind::end) end = message.offset;
        if (message.kind == Kind::gone) {
            gone = Error{Code::corrupt,
                         fmt::format("{} cannot be read on: {}", options_.topic, message.bytes)};
        }
    }
    if (const Result<void> taken = take(records); !taken) return disconnect(taken.error());
    {
        const std::lock_guard lock(mutex_);
        next_ = std::max({next_, place_->next, end.value_or(Offset{})});
        if (messages.size() == messages_max) work_ = true;
    }
    moved_.notify_all();
    if (gone) disconnect(*std::move(gone));
}

Result<void> SharedTopic::take(std::span<const Record> records) {
    if (records.empty()) return {};
    Place behind = *place_;
    if (behind.first.value < 0) {
        behind.first = records.front().offset;
        behind.first_hash = hash_of(records.front());
    }
    behind.next = records.back().offset.next();
    BOS_CHECK(apply_(records, behind));
    place_ = std::move(behind);
    return {};
}

/// The end of the thread, and of all that still waits.
void SharedTopic::give_up() {
    std::deque<std::unique_ptr<Entry>> outbox;
    {
        const std::lock_guard lock(mutex_);
        outbox.swap(outbox_);
    }
    const Error closed{Code::unavailable, options_.topic + " is closed"};
    for (const std::unique_ptr<Entry>& entry : outbox) settle(*entry, std::unexpected(closed));
    for (const Producer::Report& report : producer_->abandon()) answer(report);
}

}  // namespace bos::eventstore::kafka
