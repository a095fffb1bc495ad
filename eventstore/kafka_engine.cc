#include "eventstore/kafka_engine.h"

#include "eventstore/kafka_seal.h"
#include "eventstore/this_thread.h"
#include "schemas/base/assert.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace bos::eventstore {

namespace {

// What one turn reads at most, far behind a topic's end: few enough to be in the processor's cache
// from their verification until they are copied into the replica.
constexpr std::size_t messages_max = 8'192;
constexpr std::size_t message_bytes_enough = 2 * 1024 * 1024;
constexpr std::size_t reports_max = 128;
constexpr auto tick_every = std::chrono::milliseconds(50);
// What may come meanwhile is far below what is kept free.
constexpr auto room_every = std::chrono::milliseconds(20);

int milliseconds(const KafkaEngineOptions& options) {
    return static_cast<int>(options.topics.timeout.count());
}

}  // namespace

KafkaEngine::KafkaEngine(KafkaEngineOptions options, KafkaReplica& replica)
    : options_(std::move(options)),
      replica_(replica),
      inbox_(std::make_shared<KafkaInbox>(options_.bounds)) {}

Result<std::unique_ptr<KafkaEngine>> KafkaEngine::start(KafkaEngineOptions options,
                                                        KafkaReplica& replica) {
    auto engine = std::unique_ptr<KafkaEngine>(new KafkaEngine(std::move(options), replica));
    const auto wake = [inbox = engine->inbox_.get()] { inbox->wake(); };
    BOS_TRY(engine->consumer_, kafka::Consumer::open(engine->options_.producer.properties, wake));
    BOS_TRY(engine->producer_, kafka::Producer::open(engine->options_.producer, wake));
    engine->topics_ =
        std::make_unique<kafka::Topics>(engine->consumer_->handle(), engine->options_.topics);
    engine->opener_ = std::make_unique<KafkaOpener>(
        *engine->inbox_, [self = engine.get()](const KafkaTenant& tenant, KafkaTenant::Mode mode) {
            return self->look(tenant, mode);
        });
    engine->ends_ = std::make_unique<KafkaEnds>(*engine->inbox_, engine->consumer_->handle());
    engine->thread_ = std::thread([self = engine.get()] { self->run(); });
    return engine;
}

KafkaEngine::~KafkaEngine() { stop(); }

void KafkaEngine::append(std::string record, AppendDone done) {
    inbox_->append(std::move(record), std::move(done));
}

void KafkaEngine::confirm(const TenantId& tenant, const Head& end, AppendDone done) {
    inbox_->confirm(tenant, end, std::move(done));
}

void KafkaEngine::follow(KafkaInbox::Follow follow) { inbox_->follow(std::move(follow)); }

void KafkaEngine::listen(std::function<void(const TenantId&)> listener) {
    const std::lock_guard lock(mutex_);
    listener_ = std::move(listener);
}

void KafkaEngine::stop() {
    if (!thread_.joinable() && !opener_) return;  // start() failed
    BOS_ASSERT(std::this_thread::get_id() != thread_.get_id());
    inbox_->stop();
    const std::lock_guard lock(stop_mutex_);
    if (thread_.joinable()) thread_.join();
    if (opener_) opener_->stop();
    if (ends_) ends_->stop();
}

std::uint64_t KafkaEngine::ignored(const TenantId& tenant) const {
    const std::lock_guard lock(mutex_);
    const auto found = ignored_.find(tenant);
    return found == ignored_.end() ? 0 : found->second;
}

bool KafkaEngine::was_read(const TenantId& tenant) const {
    const std::lock_guard lock(mutex_);
    return were_read_.contains(tenant);
}

// --- on the opener's thread --------------------------------------------------------------------

std::shared_ptr<kafka::Producer> KafkaEngine::producer() const {
    const std::lock_guard lock(mutex_);
    return producer_;
}

Result<void> KafkaEngine::check_cluster() {
    const std::lock_guard lock(cluster_mutex_);
    if (!cluster_.empty()) return {};
    BOS_TRY(const std::string id, topics_->cluster_id());
    BOS_TRY(const std::optional<std::string> known, replica_.cluster_id());
    if (known && *known != id) {
        return fail(Code::corrupt,
                    fmt::format("this is the Kafka cluster {}; the replica was filled from {}. "
                                "Connect to that one, or delete the replica's folder",
                                id, *known));
    }
    cluster_ = id;
    return {};
}

Result<void> KafkaEngine::look(const KafkaTenant& tenant, KafkaTenant::Mode mode) {
    BOS_CHECK(check_cluster());
    BOS_TRY(const Head head, replica_.tables().head(tenant.id()));
    const bool known = head.position.value > 0;
    if (mode == KafkaTenant::Mode::read_only) {
        BOS_TRY(const bool exists, topics_->exists(tenant.topic()));
        if (exists) return {};
        if (known) return kafka::topic_gone(tenant.topic());
        return fail(Code::not_found, "there is no " + tenant.topic());
    }
    const auto missing = known ? kafka::Missing::refuse : kafka::Missing::create;
    BOS_CHECK(topics_->prepare(tenant.topic(), missing));
    return producer()->warm_up(tenant.topic(), milliseconds(options_));
}

// --- on the engine's thread --------------------------------------------------------------------

void KafkaEngine::run() {
    this_thread_is("kafka engine");
    while (!stop_by_ || (has_open() && now_ < *stop_by_)) turn();
    KafkaBurst burst;
    give_up_all(burst);
    apply(burst);
    refuse_all(inbox_->close());
    // The producer's last reports free what it still had.
    take_back(producer_->abandon());
    for (const auto& each : reports_) static_cast<KafkaAppend*>(each.message)->in_flight.reset();
    touched_.clear();
}

void KafkaEngine::turn() {
    KafkaInbox::Mail mail = inbox_->take(next_tick(), under_way_ > 0);
    now_ = std::chrono::steady_clock::now();
    if (mail.stopping && !stop_by_) stop_by_ = now_ + options_.limits.settle;
    if (!room_ || now_ - room_at_ > room_every) {
        room_ = replica_.make_room(0);
        room_at_ = now_;
    }
    KafkaBurst burst;
    deliver(std::move(mail), burst);
    take_reports(burst);
    take_messages(burst);
    for (KafkaTenant* tenant : restless_) touch(*tenant).tick(now_, burst);
    act(burst);
    apply(burst);
    KafkaBurst refused;
    steer(refused);
    apply(refused);
}

std::optional<KafkaEngine::Instant> KafkaEngine::next_tick() const {
    if (restless_.empty() && !stop_by_) return std::nullopt;
    return std::chrono::steady_clock::now() + tick_every;
}

KafkaTenant& KafkaEngine::find(const TenantId& tenant) {
    std::unique_ptr<KafkaTenant>& found = tenants_[tenant];
    if (!found) {
        found = std::make_unique<KafkaTenant>(tenant, topics_->name_of(tenant), options_.limits);
    }
    return *found;
}

KafkaTenant& KafkaEngine::touch(KafkaTenant& tenant) {
    if (!std::exchange(tenant.touched, true)) touched_.push_back(&tenant);
    return tenant;
}

void KafkaEngine::deliver(KafkaInbox::Mail mail, KafkaBurst& burst) {
    for (KafkaInbox::Opened& opened : mail.opened) {
        KafkaTenant& tenant = touch(*opened.tenant);
        tenant.opened(opened.found, replica_.end(tenant.id()), now_, burst);
    }
    for (const KafkaInbox::Keyed& keyed : mail.keyed)
        touch(*keyed.tenant).keyed(keyed.number, keyed.outcome);
    for (const KafkaInbox::Ended& ended : mail.ended)
        touch(*ended.tenant).ended(ended.end, now_, burst);
    for (KafkaInbox::Follow& follow : mail.follows) {
        touch(find(follow.tenant)).follow(follow.on, std::move(follow.done), now_, burst);
    }
    for (KafkaAppendPtr& append : mail.appends) {
        if (append->question) {
            KafkaTenant& tenant = touch(find(append->question->tenant));
            tenant.add(std::move(append), now_, burst);
            continue;
        }
        if (!append->record) {  // of no tenant
            Error why = *append->refusal;
            burst.refuse(std::move(append), std::move(why));
            continue;
        }
        KafkaTenant& tenant = touch(find(append->record->index.link.tenant));
        tenant.add(std::move(append), now_, burst);
    }
}

void KafkaEngine::take_reports(KafkaBurst& burst) {
    take_back(producer_->poll());
    // In portions: while one is written, those who were answered before prepare their next appends.
    for (std::size_t i = 0; i < reports_max && !reports_.empty(); ++i) {
        report(reports_.front(), burst);
        reports_.pop_front();
    }
    if (!reports_.empty()) inbox_->wake();
    if (producer_->failed()) replace_producer(burst);
}

void KafkaEngine::take_back(const std::vector<kafka::Producer::Report>& came) {
    reports_.insert(reports_.end(), came.begin(), came.end());
    under_way_ -= came.size();
    for (const auto& each : came)
        touch(*static_cast<KafkaAppend*>(each.message)->tenant).came_back();
}

void KafkaEngine::report(const kafka::Producer::Report& report, KafkaBurst& burst) {
    const KafkaAppendPtr append =
        std::exchange(static_cast<KafkaAppend*>(report.message)->in_flight, nullptr);
    touch(*append->tenant).reported(*append, report.offset, report.why, now_, burst);
}

void KafkaEngine::replace_producer(KafkaBurst& burst) {
    Result<std::unique_ptr<kafka::Producer>> fresh =
        kafka::Producer::open(options_.producer, [this] { inbox_->wake(); });
    if (!fresh) {
        spdlog::error("kafka: no new producer: {}", fresh.error().detail);
        return;
    }
    spdlog::warn("kafka: the producer failed for good and is replaced");
    take_back(producer_->abandon());
    for (const auto& each : std::exchange(reports_, {})) report(each, burst);
    const std::shared_ptr<kafka::Producer> old = producer();
    const std::lock_guard lock(mutex_);
    producer_ = *std::move(fresh);
}

void KafkaEngine::take_messages(KafkaBurst& burst) {
    if (readers_ == 0 || !room_) return;
    const std::vector<kafka::Consumer::Message>& messages =
        consumer_->take(messages_max, message_bytes_enough);
    read_.clear();
    read_.reserve(messages.size());  // the burst refers to what is in it
    burst.records.reserve(burst.records.size() + messages.size());
    for (const kafka::Consumer::Message& message : messages) {
        auto* tenant = static_cast<KafkaTenant*>(message.reader);
        if (!tenant || !tenant->reading) continue;
        const RecordIndex* record = nullptr;
        if (message.kind == kafka::Consumer::Message::Kind::record) {
            Result<RecordIndex> index = index_of(message.bytes);
            if (index && index->link.tenant == tenant->id()) {
                record = &read_.emplace_back(*std::move(index));
            }
        }
        touch(*tenant).read(message, record, now_, burst);
    }
    if (consumer_->has_more()) inbox_->wake();
}

void KafkaEngine::act(KafkaBurst& burst) {
    const Error stopping{Code::unavailable, "the log is stopping"};
    if (stop_by_) {
        for (const auto& [id, tenant] : tenants_) tenant->refuse_waiting(stopping, burst);
    }
    for (KafkaTenant* tenant : touched_) {
        if (!room_) tenant->no_room(room_.error(), now_, burst);
        if (const auto mode = tenant->take_opening(now_)) opener_->request(*tenant, *mode);
        if (tenant->wants_seal(now_)) seal(*tenant);
        if (const std::uint64_t number = tenant->asks_for_keys()) ask_for_keys(*tenant, number);
        if (tenant->can_send()) send(*tenant, burst);
        if (tenant->asks_for_end()) ends_->request(*tenant);
        if (const std::uint64_t ignored = tenant->ignored(); ignored > 0) {
            const std::lock_guard lock(mutex_);
            ignored_[tenant->id()] = ignored;
        }
    }
}

void KafkaEngine::ask_for_keys(KafkaTenant& tenant, std::uint64_t number) {
    options_.before_send(tenant.id(),
                         [to = std::weak_ptr(inbox_), engine = std::this_thread::get_id(), &tenant,
                          number](Result<void> outcome) {
                             // Most of the time all of them are: no turn is spent on that.
                             if (std::this_thread::get_id() == engine)
                                 return tenant.keyed(number, outcome);
                             if (const auto inbox = to.lock())
                                 inbox->keyed({&tenant, number, std::move(outcome)});
                         });
}

void KafkaEngine::send(KafkaTenant& tenant, KafkaBurst& burst) {
    tenant.send(
        [&](std::span<const KafkaAppendPtr> run) {
            std::vector<kafka::Producer::Outgoing> records;
            records.reserve(run.size());
            for (const KafkaAppendPtr& append : run) {
                records.push_back({.record = append->record->bytes, .message = append.get()});
            }
            kafka::Producer::Taken taken = producer_->produce(tenant.topic(), records);
            under_way_ += taken.count;
            for (const KafkaAppendPtr& append : run.first(taken.count)) {
                append->tenant = &tenant;
                append->in_flight = append;
            }
            return taken;
        },
        now_, burst);
}

void KafkaEngine::seal(KafkaTenant& tenant) {
    const KafkaTenant::Seal wanted = *tenant.wants_seal(now_);
    auto append = std::make_shared<KafkaAppend>();
    append->seal = true;
    std::string record = seal_after(tenant.id(), wanted.after, wanted.recorded_at, *options_.clock,
                                    *options_.random);
    RecordIndex index = index_of(record).value();
    append->record = IndexedRecord{.bytes = std::move(record), .index = std::move(index)};
    if (const auto sent = producer_->produce(tenant.topic(), append->record->bytes, append.get());
        !sent) {
        return;  // asked again with the next tick, until the tenant gives up
    }
    ++under_way_;
    append->tenant = &tenant;
    append->in_flight = append;
    tenant.sealing(append);
}

/// When what was read is in the replica, and before followers are told, who may ask then.
void KafkaEngine::note_reading(const KafkaTenant& tenant) {
    if (tenant.was_read() && !were_read_.contains(tenant.id())) {
        const std::lock_guard lock(mutex_);
        were_read_.insert(tenant.id());
    }
}

/// Answers come after the write, so whoever has an answer can read what it is about.
void KafkaEngine::apply(KafkaBurst& burst) {
    if (!burst.records.empty()) {
        if (const Result<void> written = write(burst); !written) {
            room_at_ = {};  // look again before anything more is sent
            for (KafkaBurst::Answer& answer : burst.answers) {
                if (!answer.outcome) continue;
                const bool question = answer.append->question.has_value();
                answer.outcome =
                    fail(question ? Code::unavailable : Code::unknown,
                         "stored in Kafka, but not in the replica: " + written.error().detail);
            }
            for (const Origin& origin : burst.origins) {
                touch(find(*origin.tenant)).drop(written.error(), now_, burst);
            }
        } else {
            tell_listener(burst);
        }
    }
    for (const KafkaTenant* tenant : touched_) note_reading(*tenant);
    answer(burst);
}

void KafkaEngine::tell_listener(const KafkaBurst& burst) {
    const std::lock_guard lock(mutex_);
    if (!listener_) return;
    for (const TenantId* tenant : burst.read) listener_(*tenant);
}

Result<void> KafkaEngine::write(const KafkaBurst& burst) {
    if (!cluster_noted_) {
        const std::lock_guard lock(cluster_mutex_);  // not waited for: records come after the look
        BOS_CHECK(replica_.set_cluster_id(cluster_));
        cluster_noted_ = true;
    }
    return replica_.write(burst.records, burst.origins);
}

void KafkaEngine::answer(KafkaBurst& burst) {
    if (!burst.answers.empty()) inbox_->answered(burst.answers);
    for (KafkaBurst::Answer& answer : burst.answers) {
        answer.append->done(std::move(answer.outcome));
    }
    for (auto& [done, outcome] : burst.followed) done(outcome);
}

/// Starts and stops readers as the turn left the tenants.
void KafkaEngine::steer(KafkaBurst& burst) {
    for (KafkaTenant* tenant : std::exchange(touched_, {})) {
        tenant->touched = false;
        const std::optional<Offset> from = tenant->reading_from();
        if (tenant->reading && !from) {
            consumer_->stop(tenant->topic());
            tenant->reading = false;
            --readers_;
        } else if (!tenant->reading && from) {
            if (const auto started = consumer_->start(tenant->topic(), *from, tenant); !started) {
                tenant->drop(started.error(), now_, burst);
            } else {
                tenant->reading = true;
                ++readers_;
            }
        }
        if (tenant->restless()) {
            restless_.insert(tenant);
        } else {
            restless_.erase(tenant);
        }
    }
}

bool KafkaEngine::has_open() const {
    return std::ranges::any_of(tenants_, [](const auto& each) { return each.second->has_open(); });
}

void KafkaEngine::give_up_all(KafkaBurst& burst) {
    for (const auto& [id, tenant] : tenants_) {
        if (!tenant->has_open() && !tenant->has_followers()) continue;
        tenant->drop({Code::unavailable, "the log stops"}, now_, burst);
    }
}

void KafkaEngine::refuse_all(KafkaInbox::Mail mail) {
    const Error stopped{Code::unavailable, "the log is stopping"};
    for (const KafkaAppendPtr& append : mail.appends) {
        append->done(std::unexpected(append->refusal.value_or(stopped)));
    }
    for (KafkaInbox::Follow& follow : mail.follows) follow.done(std::unexpected(stopped));
}

}  // namespace bos::eventstore
