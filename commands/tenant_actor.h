#pragma once

#include "commands/aggregates.h"
#include "commands/command.h"
#include "eventstore/commit.h"
#include "eventstore/event_log.h"
#include "eventstore/key_store.h"
#include "schemas/base/random.h"
#include "schemas/base/time.h"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace bos::commands {

/// Takes commits as they become durable, in order and gapless per tenant: the views.
class CommitSink {
  public:
    using Applied = std::move_only_function<void()>;

    virtual ~CommitSink() = default;
    /// Runs on: tenant shard. `applied` is to be called once, there too, when readers see these
    /// commits: before it returns, or later. Calls of one tenant keep their order. The answers of
    /// these commands wait for it, so whoever has one can read what it wrote.
    virtual void committed(const TenantId& tenant, std::vector<eventstore::Commit> commits,
                           Applied applied) = 0;
};

/// What a tenant's commands need from outside. All of it outlives the shard.
struct Surroundings {
    eventstore::EventLog& log;
    eventstore::KeyStore& keys;
    const eventstore::FieldSealer& sealer;
    CommitSink& sink;
    Clock& clock;
    Random& random;
};

using Reply = std::move_only_function<void(Outcome)>;

/// One tenant's commands, strictly in order: seen this key? -> allowed? -> load -> decide -> seal,
/// chain, append. Decides on what is decided but not yet durable; every answer, a refusal too,
/// waits until what it rests on is durable and can be read. While the sink is at work on a batch of
/// commits the next one gathers. If an append fails, the commands after it decide again on what the
/// log then holds.
///
/// Runs on: tenant shard.
class TenantActor {
  public:
    /// What it asks of the log. The results come back on the shard.
    struct Calls {
        std::function<void(std::string record)> append;            ///< result: completed()
        std::function<void(const eventstore::Head& end)> confirm;  ///< result: confirmed()
    };

    TenantActor(TenantId tenant, const Surroundings& surroundings, Calls calls);
    TenantActor(const TenantActor&) = delete;
    TenantActor& operator=(const TenantActor&) = delete;

    /// Reads the end of the log. To be called once, before the rest.
    [[nodiscard]] Result<void> open();

    void handle(Request request, Reply reply);

    /// The result of the oldest append without one.
    void completed(Result<eventstore::Head> result);
    /// The result of the confirm without one; there is one at most.
    void confirmed(const Result<eventstore::Head>& result);
    /// After a run of completed() and confirmed(): hands commits to the sink, answers, and recovers
    /// from a failed append.
    void settle();

    [[nodiscard]] bool idle() const {
        return pending_.empty() && applying_.empty() && waiting_.empty() && !sink_is_behind() &&
               !confirming_;
    }

  private:
    struct Job {
        Request request;
        std::vector<Reply> replies;  ///< also of those that sent the key again meanwhile
        Hash fingerprint;
        int attempts = 0;
        bool has_target = false;      ///< a creating command got its id
        bool may_be_written = false;  ///< an append of it had no sure end: the log is asked first
        /// A record of it for this position may still come, as long as nothing else is there.
        Position lost_at = {};
    };
    struct Pending {
        Job job;
        std::optional<eventstore::Commit> commit;  ///< none: an answer that waits its turn
        Hash hash;
        std::optional<Outcome> outcome;
        bool durable = false;
        /// The confirm that it waits for, by its number; 0 = none.
        std::uint64_t confirm = 0;
        std::optional<Error> failure;
    };
    /// Durable, and with the sink: answered when it has applied `batch`.
    struct Applying {
        Job job;
        Outcome outcome;
        std::uint64_t batch = 0;
    };
    /// What a decision came to: an answer, or a commit with its answer.
    struct Decided {
        Outcome outcome;
        std::optional<eventstore::Commit> commit;
    };

    void take(Job job);
    [[nodiscard]] bool is_beyond_known_end(const Outcome& outcome) const;
    [[nodiscard]] std::uint64_t next_confirm();
    void begin_confirm();
    [[nodiscard]] Job* in_flight_with_key_of(const Job& job);
    [[nodiscard]] std::optional<Outcome> earlier_answer(const Job& job);
    [[nodiscard]] Decided decide_any(Job& job);
    template <class Command>
    [[nodiscard]] Result<Decided> decide_one(Job& job, Command& command);
    template <class Module, class Event>
    [[nodiscard]] Result<void> record_events(std::vector<Event>& events,
                                             eventstore::Commit& commit);
    template <class Event>
    [[nodiscard]] Result<std::vector<ForeseenEvent>> foresee(const std::vector<Event>& events);
    [[nodiscard]] Result<Hash> fingerprint_of(const Request& request);
    [[nodiscard]] Timestamp now();
    [[nodiscard]] Result<void> read_end();
    [[nodiscard]] Result<std::set<Hash>> read_on();
    [[nodiscard]] bool nothing_before() const { return pending_.empty() && !sink_is_behind(); }
    [[nodiscard]] bool sink_is_behind() const { return batches_applied_ != batches_handed_over_; }
    void hand_over(std::vector<eventstore::Commit> commits);
    void applied();
    void answer_applied();
    void recover();
    void give_up(std::deque<Pending> pending, std::deque<Job> waiting);
    void answer(Job& job, const Outcome& outcome) const;

    // Constant after construction.
    const TenantId tenant_;
    const Surroundings& surroundings_;
    const Calls calls_;

    eventstore::Head decided_;  ///< the end of the chain as decided
    Position durable_;
    Position handed_over_;  ///< the sink has all commits up to here
    Timestamp last_recorded_{};
    std::string secret_;  ///< for fingerprints
    Aggregates<AllStates> aggregates_;
    std::deque<Pending> pending_;    ///< in the order of decision
    std::deque<Applying> applying_;  ///< in the order of decision, all before pending_
    std::uint64_t batches_handed_over_ = 0;
    std::uint64_t batches_applied_ = 0;
    std::size_t with_result_ = 0;  ///< of pending_, from its front: no append of these is under way
    std::size_t outstanding_ = 0;  ///< appends without result: the last ones of pending_
    std::uint64_t confirms_ = 0;   ///< begun
    std::uint64_t confirmed_ = 0;  ///< of them, the last one that was confirmed
    bool confirming_ = false;      ///< the last one has no result
    bool confirm_wanted_ = false;  ///< by an answer that came after it began
    bool failing_ = false;     ///< an append failed, or the log goes on: nothing is decided until
                               ///< all results are in
    bool stale_ = false;       ///< the log could not be read: nothing is decided before it can
    std::deque<Job> waiting_;  ///< came while failing
    std::unordered_map<std::string, Job*> keys_in_flight_;
};

}  // namespace bos::commands
