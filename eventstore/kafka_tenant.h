#pragma once

#include "eventstore/kafka_append.h"
#include "eventstore/kafka_chain.h"
#include "eventstore/kafka_consumer.h"
#include "eventstore/kafka_producer.h"
#include "eventstore/kafka_replica.h"

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bos::eventstore {

/// One tenant in the engine: its chain, the appends that wait, and what has to be done for them
/// next. It does nothing of that itself: the engine asks after each event.
///
/// closed -> opening (the topic is looked at) -> reading (to the topic's end) -> current.
/// Whatever contradicts what is known drops it back to closed, and the next append begins anew.
///
/// Runs on: the engine's thread.
class KafkaTenant {
  public:
    using Instant = std::chrono::steady_clock::time_point;
    struct Limits {
        /// To learn what became of appends in doubt; then they are answered `unknown`.
        std::chrono::milliseconds settle{30'000};
        /// Without a word from the topic while it is read to its end, or about where it ends.
        std::chrono::milliseconds silence{10'000};
    };
    enum class Mode { read_only, append };
    using FollowDone = std::move_only_function<void(Result<void>)>;

    KafkaTenant(TenantId id, std::string topic, const Limits& limits);

    [[nodiscard]] const TenantId& id() const { return id_; }
    [[nodiscard]] const std::string& topic() const { return topic_; }
    [[nodiscard]] std::uint64_t ignored() const {
        return ignored_ + (chain_ ? chain_->ignored() : 0);
    }

    // Events.

    void add(KafkaAppendPtr append, Instant now, KafkaBurst& burst);
    /// Reads to the end and calls `done`; `on`: and goes on until the first append here.
    void follow(bool on, FollowDone done, Instant now, KafkaBurst& burst);
    /// The topic was looked at; `end` is where the replica ends.
    void opened(const Result<void>& found, const Result<KafkaReplica::End>& end, Instant now,
                KafkaBurst& burst);
    /// The producer has no more to do with a record of this tenant. Its report is folded with
    /// reported(), perhaps later: what waits may be sent before.
    void came_back();
    void reported(const KafkaAppend& append, std::optional<Offset> offset, std::string_view why,
                  Instant now, KafkaBurst& burst);
    /// `record`: what message.bytes are; null: no record of this tenant. Both are used until the
    /// burst is applied.
    void read(const kafka::Consumer::Message& message, const RecordIndex* record, Instant now,
              KafkaBurst& burst);
    /// The answer to asks_for_end().
    void ended(const Result<Offset>& end, Instant now, KafkaBurst& burst);
    void tick(Instant now, KafkaBurst& burst);
    /// The replica could not be written.
    void drop(const Error& why, Instant now, KafkaBurst& burst);
    /// The replica's disk is full: nothing is sent, and nothing more is read.
    void no_room(const Error& why, Instant now, KafkaBurst& burst);
    /// Refuses what was not sent, and all that comes.
    void refuse_waiting(const Error& why, KafkaBurst& burst);

    // What is to be done now.

    /// Look at the topic, in this mode. Asked for once: it is then opening.
    [[nodiscard]] std::optional<Mode> take_opening(Instant now);
    /// Read from here on; none: do not read.
    [[nodiscard]] std::optional<Offset> reading_from() const;
    [[nodiscard]] bool can_send() const;
    /// Hands what waits to `produce`, if it can_send(). Records that continue each other go
    /// together; those behind the first one that the producer does not take are not taken either.
    using Produce = std::function<kafka::Producer::Taken(std::span<const KafkaAppendPtr>)>;
    void send(const Produce& produce, Instant now, KafkaBurst& burst);
    /// Ask whether the keys are durable that new appends name, with this number; 0 = none came.
    [[nodiscard]] std::uint64_t asks_for_keys();
    void keyed(std::uint64_t number, const Result<void>& outcome);
    /// Somebody wants to know whether others have written: ask for the topic's end. True once, then
    /// not before ended().
    [[nodiscard]] bool asks_for_end();
    /// A record that takes the position of the appends in doubt. Asked for until sealing().
    struct Seal {
        Head after;
        Timestamp recorded_at;
    };
    [[nodiscard]] std::optional<Seal> wants_seal(Instant now) const;
    void sealing(const KafkaAppendPtr& seal);

    /// It waits for something that may never come: tick() it.
    [[nodiscard]] bool restless() const;
    [[nodiscard]] bool has_open() const { return !open_.empty() || !questions_.empty(); }
    /// Its topic was read to the end it had then, and it was not dropped since.
    [[nodiscard]] bool was_read() const { return was_read_; }
    [[nodiscard]] bool has_followers() const { return !followers_.empty(); }
    [[nodiscard]] std::uint64_t incarnation() const { return incarnation_; }

    bool reading = false;  ///< by the consumer; kept by the engine
    bool touched = false;  ///< in this turn; kept by the engine

  private:
    enum class State { closed, opening, reading, current };

    /// Have others written? The topic's end is asked for after it came, and everything before that
    /// end is folded: then it is known.
    struct Question {
        KafkaAppendPtr append;        ///< or
        FollowDone done = {};         ///< who only wants to have read that far
        std::uint64_t strangers = 0;  ///< strangers_, when it came
        Instant since;
        bool asked = false;
        std::optional<Offset> end = {};
    };

    [[nodiscard]] bool next_may_go() const;
    void take_question(KafkaAppendPtr append, Instant now, KafkaBurst& burst);
    void ask(Question question);
    void send_run(const Produce& produce, KafkaBurst& burst);
    [[nodiscard]] std::vector<KafkaAppendPtr> take_run();
    [[nodiscard]] KafkaAppendPtr take_waiting();
    void refuse(KafkaAppendPtr append, KafkaBurst& burst);
    void settle_questions(KafkaBurst& burst);
    void give_up_questions(Instant now, KafkaBurst& burst);
    static void answer(Question& question, const Result<Head>& outcome, KafkaBurst& burst);
    [[nodiscard]] bool has_to_read() const;
    void follow_steps(const KafkaChain::Steps& steps, const RecordView* read, KafkaBurst& burst);
    void check_witness(const kafka::Consumer::Message& message, Instant now, KafkaBurst& burst);
    void caught_up(Instant now, KafkaBurst& burst);
    void contradicted(Instant now, KafkaBurst& burst);
    void forget_chain();
    void close(const Result<void>& why, KafkaBurst& burst);
    void tell_followers(const Result<void>& outcome, KafkaBurst& burst);
    void review(Instant now);
    [[nodiscard]] KafkaAppendPtr pop_open();
    void report_ignored(Offset offset, const std::optional<ChainLink>& link);

    // Constant after construction.
    const TenantId id_;
    const std::string topic_;
    const Limits limits_;

    State state_ = State::closed;
    Mode mode_ = Mode::read_only;
    bool following_ = false;
    std::vector<FollowDone> followers_;  ///< who wait for the end
    std::uint64_t incarnation_ = 0;
    std::optional<KafkaChain> chain_;     ///< while reading or current
    std::optional<Hash> witness_;         ///< the head's record was not seen again yet
    Timestamp recorded_at_;               ///< of the head's record
    std::deque<KafkaAppendPtr> open_;     ///< as the chain's open appends
    std::deque<KafkaAppendPtr> waiting_;  ///< not sent
    std::size_t under_way_ = 0;  ///< records that the producer has, of earlier incarnations too
    std::deque<Question> questions_;  ///< in the order in which they came; while current
    Offset asked_at_;                 ///< what was folded when the end was asked for
    std::uint64_t keys_asked_ = 0;
    bool asking_ = false;  ///< the topic's end was asked for
    std::uint64_t strangers_ =
        0;  ///< records of others that were valid, and own ones that they cost
    bool seal_under_way_ = false;
    Offset seal_not_before_;  ///< what was folded when it was sent
    Offset seal_read_to_;     ///< the seal stands before it
    Instant seal_again_at_{};
    Instant heard_at_{};  ///< the last word from the topic, while reading
    std::optional<Instant> settle_until_;
    std::string last_failure_;
    std::optional<Error> refusal_;  ///< why it was dropped, kept for a while
    Instant refusal_until_{};
    std::uint64_t ignored_ = 0;  ///< in earlier incarnations
    bool was_read_ = false;
};

}  // namespace bos::eventstore
