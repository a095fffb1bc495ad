#include "eventstore/kafka_tenant.h"

#include "schemas/base/assert.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace bos::eventstore {

namespace {

// A refused topic is not looked at again for each append.
constexpr auto refusal_holds = std::chrono::seconds(1);
constexpr auto seal_again_after = std::chrono::milliseconds(100);
// The first ones tell what is going on; the count tells how much of it.
constexpr std::uint64_t ignored_reports_max = 5;

}  // namespace

KafkaTenant::KafkaTenant(TenantId id, std::string topic, const Limits& limits)
    : id_(std::move(id)), topic_(std::move(topic)), limits_(limits) {}

void KafkaTenant::add(KafkaAppendPtr append, Instant now, KafkaBurst& burst) {
    if (state_ == State::closed && refusal_ && now < refusal_until_) {
        if (!append->refusal) append->refusal = refusal_;
        Error why = *append->refusal;
        return burst.refuse(std::move(append), std::move(why));
    }
    waiting_.push_back(std::move(append));
}

void KafkaTenant::follow(bool on, FollowDone done, Instant now, KafkaBurst& burst) {
    const bool reads_on = state_ == State::current && mode_ == Mode::read_only;
    if (reads_on && on) {
        burst.followed.emplace_back(std::move(done), Result<void>());
        return;
    }
    // Who reads on does not know where the end is now: the topic is looked at anew, which also
    // proves that it still is the one that was read.
    if (reads_on) {
        forget_chain();
        state_ = State::closed;
    }
    // An owner knows of others only what its own appends met. It reads to the end now, and what is
    // appended meanwhile waits; if it has nothing under way it may go back to reading only.
    const bool owner = state_ == State::current;
    if (owner && !on) return ask({.append = nullptr, .done = std::move(done), .since = now});
    if (owner && open_.empty() && waiting_.empty() && questions_.empty()) mode_ = Mode::read_only;
    if (owner) {
        state_ = State::reading;
        heard_at_ = now;
    }
    if (mode_ == Mode::read_only) following_ = following_ || on;
    followers_.push_back(std::move(done));
}

std::optional<KafkaTenant::Mode> KafkaTenant::take_opening(Instant now) {
    const bool append = !waiting_.empty() && mode_ != Mode::append;
    const bool read = state_ == State::closed && (following_ || !followers_.empty());
    const bool held = refusal_ && now < refusal_until_;
    if (state_ == State::opening || held || !(append || read)) return std::nullopt;
    forget_chain();  // it is read again from the replica's end: nothing of ours is open in it
    state_ = State::opening;
    mode_ = append ? Mode::append : Mode::read_only;
    return mode_;
}

void KafkaTenant::opened(const Result<void>& found, const Result<KafkaReplica::End>& end,
                         Instant now, KafkaBurst& burst) {
    if (state_ != State::opening) return;
    if (!found && found.error().code == Code::not_found) {
        // Nobody has written to the tenant yet. An append makes its topic.
        following_ = false;
        return close(found, burst);
    }
    if (!found) return drop(found.error(), now, burst);
    if (!end) return drop(end.error(), now, burst);
    // The record that the replica ends with is read again: it proves that this is still the topic
    // that the replica was filled from, for its hash covers all before it.
    const Offset next = end->offset ? end->offset->next() : Offset{0};
    chain_.emplace(end->head, end->offset, next);
    if (end->offset) witness_ = end->head.hash;
    recorded_at_ = end->recorded_at;
    seal_under_way_ = false;
    seal_read_to_ = Offset{0};
    settle_until_.reset();
    refusal_.reset();
    heard_at_ = now;
    state_ = State::reading;
}

void KafkaTenant::came_back() {
    BOS_ASSERT(under_way_ > 0);
    --under_way_;
}

void KafkaTenant::reported(const KafkaAppend& append, std::optional<Offset> offset,
                           std::string_view why, Instant now, KafkaBurst& burst) {
    if (append.incarnation != incarnation_ || !chain_) return;
    if (!offset) last_failure_ = why;
    if (append.seal) {
        seal_under_way_ = false;
        // Below what was folded when it was sent: the topic has lost its end since.
        if (offset && *offset < seal_not_before_) return contradicted(now, burst);
        if (offset) seal_read_to_ = offset->next();
        if (!offset) seal_again_at_ = now + seal_again_after;
        return review(now);
    }
    if (!offset) {
        chain_->lost();
        return review(now);
    }
    KafkaChain::Steps steps;
    const bool agrees = chain_->delivered(*offset, link_of(append.record->index), steps);
    follow_steps(steps, nullptr, burst);
    if (!agrees) return contradicted(now, burst);
    settle_questions(burst);
    review(now);
}

void KafkaTenant::read(const kafka::Consumer::Message& message, const RecordIndex* record,
                       Instant now, KafkaBurst& burst) {
    using Kind = kafka::Consumer::Message::Kind;
    if (!chain_) return;
    if (message.kind == Kind::failed) {
        last_failure_ = message.bytes;
        return;
    }
    if (message.kind == Kind::gone) {
        return drop(
            {Code::corrupt,
             fmt::format("{} does not reach to offset {}, where its reading stands ({}): it "
                         "was cut or made anew. Restore the topic, or give up what it lost",
                         topic_, reading_from().value_or(Offset{}).value, message.bytes)},
            now, burst);
    }
    heard_at_ = now;
    if (witness_) return check_witness(message, now, burst);
    KafkaChain::Steps steps;
    bool agrees = false;
    if (message.kind == Kind::end) {
        agrees = chain_->read_to(message.offset, steps);
    } else {
        std::optional<ChainLink> link;
        if (record) link = link_of(*record);
        const std::uint64_t ignored = chain_->ignored();
        agrees = chain_->read(message.offset, link, steps);
        if (chain_->ignored() != ignored) report_ignored(message.offset, link);
    }
    const auto read =
        record ? std::optional(RecordView(message.bytes, *record)) : std::optional<RecordView>();
    follow_steps(steps, read ? &*read : nullptr, burst);
    if (!agrees) return contradicted(now, burst);
    settle_questions(burst);
    if (message.kind == Kind::end && state_ == State::reading) caught_up(now, burst);
    review(now);
}

void KafkaTenant::check_witness(const kafka::Consumer::Message& message, Instant now,
                                KafkaBurst& burst) {
    const bool same = message.kind == kafka::Consumer::Message::Kind::record &&
                      message.offset == chain_->head_offset() &&
                      hash_of(message.bytes) == *witness_;
    witness_.reset();
    if (same) return;
    drop({Code::corrupt,
          fmt::format("{} does not hold the record at position {} and offset {} that was read from "
                      "it before: it was cut or made anew. Restore the topic, or give up what it "
                      "lost and delete the replica",
                      topic_, chain_->head().position.value, chain_->head_offset()->value)},
         now, burst);
}

void KafkaTenant::caught_up(Instant now, KafkaBurst& burst) {
    state_ = State::current;
    was_read_ = true;
    tell_followers({}, burst);
    if (mode_ == Mode::append) following_ = false;
    if (mode_ == Mode::read_only && !following_) close({}, burst);
    review(now);
}

void KafkaTenant::follow_steps(const KafkaChain::Steps& steps, const RecordView* read,
                               KafkaBurst& burst) {
    for (const KafkaChain::Step step : steps) {
        if (step == KafkaChain::Step::read_valid) {
            BOS_ASSERT(read != nullptr);
            burst.records.push_back(*read);
            if (burst.read.empty() || burst.read.back() != &id_) burst.read.push_back(&id_);
            recorded_at_ = read->index->link.recorded_at;
            ++strangers_;
        } else {
            KafkaAppendPtr append = pop_open();
            if (step == KafkaChain::Step::own_valid) {
                burst.records.emplace_back(*append->record);
                recorded_at_ = append->record->index.link.recorded_at;
                const Head head = append->record->index.head();
                burst.answer(std::move(append), head);
            } else if (step == KafkaChain::Step::own_dead) {
                ++strangers_;
                const std::uint64_t position = append->record->index.link.position.value;
                burst.refuse(std::move(append),
                             {Code::conflict,
                              fmt::format("{}: another record has position {}, or one before it",
                                          id_.value(), position)});
            } else {
                Error why = *append->refusal;
                burst.refuse(std::move(append), std::move(why));
            }
        }
    }
    if (steps.empty() || !chain_->head_offset()) return;
    if (burst.origins.empty() || burst.origins.back().tenant != &id_) burst.origins.emplace_back();
    burst.origins.back() = {
        .tenant = &id_, .position = chain_->head().position, .offset = *chain_->head_offset()};
}

KafkaAppendPtr KafkaTenant::pop_open() {
    KafkaAppendPtr append = std::move(open_.front());
    open_.pop_front();
    return append;
}

void KafkaTenant::report_ignored(Offset offset, const std::optional<ChainLink>& link) {
    if (ignored() > ignored_reports_max) return;
    const Head& head = chain_->head();
    const std::string what = link ? fmt::format("a record for position {}", link->position.value)
                                  : "no record of this log";
    spdlog::warn("{} at offset {}: {} after position {} is ignored, by every reader{}", topic_,
                 offset.value, what, head.position.value,
                 ignored() == ignored_reports_max ? "; more of them are only counted" : "");
}

// --- what is to be done ------------------------------------------------------------------------

std::optional<Offset> KafkaTenant::reading_from() const {
    if (!chain_) return std::nullopt;
    const bool wanted = state_ == State::reading || mode_ == Mode::read_only || chain_->gap() ||
                        chain_->next() < seal_read_to_ || has_to_read();
    if (!wanted) return std::nullopt;
    return witness_ ? *chain_->head_offset() : chain_->next();
}

/// One request is under way at a time, and what comes meanwhile is the next one. A broker answers a
/// connection's requests one after the other all the same. And an idempotent producer of librdkafka
/// (2.0 to 2.8) with five messages of a partition under way sends no more of it until they are
/// stored: it keeps what it is given, and its thread does not sleep for the whole round trip.
bool KafkaTenant::can_send() const {
    return next_may_go() && (under_way_ == 0 || waiting_.front()->question);
}

bool KafkaTenant::next_may_go() const {
    return state_ == State::current && mode_ == Mode::append && !chain_->unsettled() &&
           !waiting_.empty() && waiting_.front()->keys == KafkaAppend::Keys::durable;
}

std::uint64_t KafkaTenant::asks_for_keys() {
    using Keys = KafkaAppend::Keys;
    bool asks = false;
    for (auto append = waiting_.rbegin();
         append != waiting_.rend() && (*append)->keys == Keys::unasked; ++append) {
        const bool names_keys = (*append)->record && !(*append)->refusal;
        (*append)->keys = names_keys ? Keys::asked : Keys::durable;
        (*append)->keys_asked = keys_asked_ + 1;
        asks |= names_keys;
    }
    return asks ? ++keys_asked_ : 0;
}

void KafkaTenant::keyed(std::uint64_t number, const Result<void>& outcome) {
    using Keys = KafkaAppend::Keys;
    // Those of one question stand together, in the order of the questions.
    for (auto append = waiting_.rbegin(); append != waiting_.rend(); ++append) {
        KafkaAppend& each = **append;
        if (each.keys != Keys::unasked && each.keys_asked < number) return;
        if (each.keys != Keys::asked || each.keys_asked != number) continue;
        each.keys = Keys::durable;
        if (!outcome) each.refusal = {Code::unavailable, outcome.error().detail};
    }
}

void KafkaTenant::send(const Produce& produce, Instant now, KafkaBurst& burst) {
    const bool records_may_go = under_way_ == 0;
    while (next_may_go() && (records_may_go || waiting_.front()->question)) {
        if (waiting_.front()->question) {
            take_question(take_waiting(), now, burst);
        } else {
            send_run(produce, burst);
        }
    }
}

/// What waits in front and is one chain, or a refusal of the first.
void KafkaTenant::send_run(const Produce& produce, KafkaBurst& burst) {
    std::vector<KafkaAppendPtr> run = take_run();
    if (run.empty()) return refuse(take_waiting(), burst);
    const kafka::Producer::Taken taken = produce(run);
    for (std::size_t i = 0; i < run.size(); ++i) {
        if (i < taken.count) {
            chain_->sent(link_of(run[i]->record->index));
            ++under_way_;
            open_.push_back(std::move(run[i]));
        } else {
            run[i]->refusal = {Code::unavailable, taken.all.error().detail};
            refuse(std::move(run[i]), burst);
        }
    }
}

std::vector<KafkaAppendPtr> KafkaTenant::take_run() {
    std::vector<KafkaAppendPtr> run;
    for (Head end = chain_->end(); next_may_go(); end = run.back()->record->index.head()) {
        const KafkaAppend& next = *waiting_.front();
        if (next.question || next.refusal || !next.record->index.continues(end)) break;
        run.push_back(take_waiting());
        run.back()->incarnation = incarnation_;
    }
    return run;
}

KafkaAppendPtr KafkaTenant::take_waiting() {
    KafkaAppendPtr append = std::move(waiting_.front());
    waiting_.pop_front();
    return append;
}

/// It is answered in its turn.
void KafkaTenant::refuse(KafkaAppendPtr append, KafkaBurst& burst) {
    if (!append->refusal) {
        append->refusal = {
            Code::conflict,
            fmt::format("{}: record {} does not continue the log, which ends at {}", id_.value(),
                        append->record->index.link.position.value, chain_->end().position.value)};
    }
    append->incarnation = incarnation_;
    open_.push_back(std::move(append));
    KafkaChain::Steps steps;
    chain_->refused(steps);
    follow_steps(steps, nullptr, burst);
}

// --- questions ---------------------------------------------------------------------------------

void KafkaTenant::take_question(KafkaAppendPtr append, Instant now, KafkaBurst& burst) {
    if (append->refusal) {
        Error why = *append->refusal;
        return burst.refuse(std::move(append), std::move(why));
    }
    if (append->question->end != chain_->end()) {
        return burst.refuse(std::move(append),
                            {Code::conflict, fmt::format("{}: the log ends at {}", id_.value(),
                                                         chain_->end().position.value)});
    }
    ask({.append = std::move(append), .done = {}, .since = now});
}

void KafkaTenant::ask(Question question) {
    question.strangers = strangers_;
    questions_.push_back(std::move(question));
}

bool KafkaTenant::asks_for_end() {
    if (asking_) return false;
    for (Question& question : questions_) {
        asking_ |= !question.asked;
        question.asked = true;
    }
    if (asking_) asked_at_ = chain_->next();
    return asking_;
}

void KafkaTenant::ended(const Result<Offset>& end, Instant now, KafkaBurst& burst) {
    asking_ = false;
    if (!end) last_failure_ = end.error().detail;
    for (Question& question : questions_) {
        if (!question.asked || question.end) continue;
        // Below what was folded when it was asked for: the topic has lost its end since.
        if (end && *end < asked_at_) return contradicted(now, burst);
        if (end) question.end = *end;
        if (!end) question.asked = false;  // again, until its time is over
    }
    settle_questions(burst);
    give_up_questions(now, burst);
}

/// What stands before the end and is not folded: own records that a report is to come of, or those
/// of others, which have to be read.
bool KafkaTenant::has_to_read() const {
    return open_.empty() && std::ranges::any_of(questions_, [this](const Question& question) {
               return question.end && *question.end > chain_->next();
           });
}

void KafkaTenant::settle_questions(KafkaBurst& burst) {
    while (!questions_.empty()) {
        Question& oldest = questions_.front();
        if (!oldest.end || *oldest.end > chain_->next()) return;
        Result<Head> outcome = chain_->head();
        if (oldest.append && oldest.strangers != strangers_) {
            outcome = fail(Code::conflict, id_.value() + ": another owner has written");
        } else if (oldest.append) {
            outcome = oldest.append->question->end;
        }
        answer(oldest, outcome, burst);
        questions_.pop_front();
    }
}

void KafkaTenant::give_up_questions(Instant now, KafkaBurst& burst) {
    for (; !questions_.empty() && now - questions_.front().since > limits_.silence;
         questions_.pop_front()) {
        answer(questions_.front(),
               fail(Code::unavailable,
                    fmt::format("Kafka does not say where {} ends: {}", topic_, last_failure_)),
               burst);
    }
}

void KafkaTenant::answer(Question& question, const Result<Head>& outcome, KafkaBurst& burst) {
    if (question.append) return burst.answer(std::move(question.append), outcome);
    burst.followed.emplace_back(std::move(question.done),
                                outcome ? Result<void>() : std::unexpected(outcome.error()));
}

// --- settling ----------------------------------------------------------------------------------

std::optional<KafkaTenant::Seal> KafkaTenant::wants_seal(Instant now) const {
    if (!chain_ || !chain_->in_doubt() || seal_under_way_ || now < seal_again_at_ ||
        chain_->next() < seal_read_to_) {
        return std::nullopt;
    }
    return Seal{.after = chain_->head(), .recorded_at = recorded_at_};
}

void KafkaTenant::sealing(const KafkaAppendPtr& seal) {
    seal->incarnation = incarnation_;
    ++under_way_;
    seal_under_way_ = true;
    seal_not_before_ = chain_->next();
}

// --- ends --------------------------------------------------------------------------------------

bool KafkaTenant::restless() const {
    const bool wants_to_read = following_ || !followers_.empty();
    return state_ == State::reading || settle_until_ || !questions_.empty() ||
           (state_ == State::closed && wants_to_read);
}

void KafkaTenant::review(Instant now) {
    if (!chain_) return;
    const bool settled = !chain_->gap() && !chain_->unsettled() && !chain_->in_doubt();
    if (settled) settle_until_.reset();
    if (!settled && !settle_until_) settle_until_ = now + limits_.settle;
}

void KafkaTenant::tick(Instant now, KafkaBurst& burst) {
    give_up_questions(now, burst);
    const bool silent = state_ == State::reading && now - heard_at_ > limits_.silence;
    const bool unsettled = settle_until_ && now > *settle_until_;
    if (!silent && !unsettled) return;
    drop({Code::unavailable, fmt::format("Kafka does not answer for {}{}{}", topic_,
                                         last_failure_.empty() ? "" : ": ", last_failure_)},
         now, burst);
}

void KafkaTenant::drop(const Error& why, Instant now, KafkaBurst& burst) {
    spdlog::warn("{}: appends are refused: {}", id_.value(), why.detail);
    was_read_ = false;
    while (!open_.empty()) {
        KafkaAppendPtr append = pop_open();
        Error error = append->refusal.value_or(
            Error{Code::unknown, "it is not known whether the record was stored: " + why.detail});
        burst.refuse(std::move(append), std::move(error));
    }
    for (Question& question : std::exchange(questions_, {}))
        answer(question, std::unexpected(why), burst);
    refuse_waiting(why, burst);
    refusal_ = why;
    refusal_until_ = now + refusal_holds;
    close(std::unexpected(why), burst);
}

void KafkaTenant::contradicted(Instant now, KafkaBurst& burst) {
    drop({Code::unavailable, topic_ + " is not what it was; it is read again"}, now, burst);
}

void KafkaTenant::no_room(const Error& why, Instant now, KafkaBurst& burst) {
    if (state_ == State::reading) return drop(why, now, burst);
    refuse_waiting(why, burst);
}

void KafkaTenant::refuse_waiting(const Error& why, KafkaBurst& burst) {
    for (KafkaAppendPtr& append : std::exchange(waiting_, {})) {
        Error error = append->refusal.value_or(why);
        burst.refuse(std::move(append), std::move(error));
    }
}

void KafkaTenant::tell_followers(const Result<void>& outcome, KafkaBurst& burst) {
    for (FollowDone& done : std::exchange(followers_, {})) {
        burst.followed.emplace_back(std::move(done), outcome);
    }
}

/// Reports of what was sent until now, also of appends that are answered already, mean nothing to
/// the next chain.
void KafkaTenant::forget_chain() {
    if (chain_) ignored_ += chain_->ignored();
    chain_.reset();
    witness_.reset();
    settle_until_.reset();
    ++incarnation_;
}

void KafkaTenant::close(const Result<void>& why, KafkaBurst& burst) {
    forget_chain();
    last_failure_.clear();
    state_ = State::closed;
    mode_ = Mode::read_only;
    tell_followers(why, burst);
}

}  // namespace bos::eventstore
