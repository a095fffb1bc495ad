#include "commands/tenant_actor.h"

#include "eventstore/sealed_fields.h"
#include "schemas/base/assert.h"
#include "schemas/base/codec.h"
#include "schemas/base/digest.h"
#include "schemas/base/field.h"
#include "schemas/base/json_write.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace bos::commands {

namespace {

constexpr std::size_t aggregates_max = 8192;
/// A command that loses this often to another owner's writes is given back to its sender.
constexpr int attempts_max = 8;
/// Commits that the sink gets at once: a busy tenant does not make the others of its shard wait for
/// longer than these take.
constexpr std::size_t commits_of_a_batch = 128;

Error unreadable() { return {Code::unavailable, "the log cannot be read at the moment"}; }

std::string_view wire_name_of(const AnyCommand& any) {
    return std::visit(
        [](const auto& module_command) {
            return std::visit([]<class C>(const C&) { return C::wire_name; }, module_command);
        },
        any);
}

struct CommandKind {
    bool creates = false;
    std::uint16_t aggregate = 0;
};

CommandKind kind_of(std::string_view wire_name) {
    CommandKind kind;
    for_each_type(Modules{}, [&]<class Module>() {
        for_each_type(typename Module::Commands{}, [&]<class Command>() {
            using State = typename state_of<Command, typename Module::States>::type;
            if (Command::wire_name == wire_name) kind = {Command::creates, State::aggregate};
        });
    });
    return kind;
}

/// It is true of where the log ends, and appends nothing that would prove that it ends there.
bool rests_on_end(const Outcome& outcome) {
    if (outcome) return !outcome->repeated;
    return std::holds_alternative<Rejected>(outcome.error()) ||
           std::holds_alternative<VersionConflict>(outcome.error());
}

/// The answer of a commit can be told from its record alone, so it is the same for ever.
Done answer_of(const eventstore::Commit& commit) {
    const CommandKind kind = kind_of(commit.command);
    Done done{.position = commit.position,
              .target = {kind.aggregate, commit.target},
              .version = commit.target_version,
              .foreseen = {}};
    done.created = kind.creates;
    done.changed = !commit.events.empty();
    for (const eventstore::RecordedEvent& event : commit.events) {
        if (event.stream == done.target) done.version = event.version;
    }
    return done;
}

}  // namespace

TenantActor::TenantActor(TenantId tenant, const Surroundings& surroundings, Calls calls)
    : tenant_(std::move(tenant)),
      surroundings_(surroundings),
      calls_(std::move(calls)),
      aggregates_(surroundings.log, tenant_, durable_) {}

Result<void> TenantActor::open() {
    BOS_CHECK(read_end());
    BOS_TRY(secret_, surroundings_.keys.tenant_secret(tenant_));
    handed_over_ = durable_;
    return {};
}

Result<void> TenantActor::read_end() {
    BOS_TRY(const eventstore::Head head, surroundings_.log.head(tenant_));
    if (head.position.value > 0) {
        BOS_TRY(const std::string record, surroundings_.log.read(tenant_, head.position));
        BOS_TRY(const eventstore::Link last, eventstore::link_of(record));
        last_recorded_ = last.recorded_at;
    }
    decided_ = head;
    durable_ = head.position;
    return {};
}

void TenantActor::handle(Request request, Reply reply) {
    Job job{.request = std::move(request), .replies = {}, .fingerprint = {}};
    job.replies.push_back(std::move(reply));
    auto fingerprint = fingerprint_of(job.request);
    if (!fingerprint) return answer(job, std::unexpected(Refusal(fingerprint.error())));
    job.fingerprint = *fingerprint;
    if (stale_ && !read_on()) return answer(job, std::unexpected(Refusal(unreadable())));
    if (failing_) {
        waiting_.push_back(std::move(job));
    } else {
        take(std::move(job));
        if (failing_) settle();
    }
}

/// The body as it was understood, the actor and the command: white space and the order of members
/// do not matter. Keyed, since it stands in the log for ever and its text may be personal.
Result<Hash> TenantActor::fingerprint_of(const Request& request) {
    std::string text(wire_name_of(request.command));
    text += '\0';
    text += to_string(request.caller.actor.id);
    text += '\0';
    std::visit(
        [&](const auto& module_command) {
            std::visit([&](const auto& command) { text += encode(command); }, module_command);
        },
        request.command);
    return hmac_sha256(secret_, text);
}

void TenantActor::take(Job job) {
    // Here and not only after commits: refused commands load aggregates too.
    aggregates_.evict(aggregates_max);
    Job* const first = in_flight_with_key_of(job);
    if (first != nullptr && first->fingerprint == job.fingerprint) {
        for (Reply& reply : job.replies) first->replies.push_back(std::move(reply));
        return;
    }
    Pending pending{.job = std::move(job), .commit = {}, .hash = {}, .outcome = {}, .failure = {}};
    if (first != nullptr) {
        // Waits like any answer: if the first use of the key fails, this one is none.
        pending.outcome = std::unexpected(Refusal(KeyReused{}));
    } else if (auto earlier = earlier_answer(pending.job)) {
        pending.outcome = std::move(*earlier);
    } else {
        Decided decided = decide_any(pending.job);
        pending.outcome = std::move(decided.outcome);
        pending.commit = std::move(decided.commit);
    }
    if (!pending.commit) {
        if (is_beyond_known_end(*pending.outcome)) {
            pending.failure = Error{Code::conflict, "the log goes on"};
            failing_ = true;
        } else if (surroundings_.log.is_shared() && rests_on_end(*pending.outcome)) {
            pending.confirm = next_confirm();
        } else if (nothing_before()) {
            return answer(pending.job, *pending.outcome);
        }
        pending_.push_back(std::move(pending));
        return;
    }
    std::string record = eventstore::encode(*pending.commit);
    pending.hash = eventstore::hash_of(record);
    decided_ = {pending.commit->position, pending.hash};
    last_recorded_ = pending.commit->recorded_at;
    pending_.push_back(std::move(pending));
    // A deque keeps its elements where they are while others come and go at its ends.
    Job& kept = pending_.back().job;
    keys_in_flight_.emplace(kept.request.key, &kept);
    ++outstanding_;
    calls_.append(std::move(record));
}

/// An append of no certain outcome came after all, or another owner wrote it: the key was found,
/// and what the answer tells of has neither been evolved nor been given to the sink.
bool TenantActor::is_beyond_known_end(const Outcome& outcome) const {
    return outcome && outcome->position > decided_.position;
}

/// Whether another owner had written before a request came is known only from a question that was
/// asked after it came: the one under way does not do. All that come meanwhile share the next.
std::uint64_t TenantActor::next_confirm() {
    if (!confirming_) {
        begin_confirm();
        return confirms_;
    }
    confirm_wanted_ = true;
    return confirms_ + 1;
}

void TenantActor::begin_confirm() {
    ++confirms_;
    confirming_ = true;
    confirm_wanted_ = false;
    calls_.confirm(decided_);
}

void TenantActor::confirmed(const Result<eventstore::Head>& result) {
    BOS_ASSERT(confirming_);
    confirming_ = false;
    if (result) {
        confirmed_ = confirms_;
    } else {
        failing_ = true;
        for (Pending& pending : pending_) {
            if (pending.confirm == confirms_) pending.failure = result.error();
        }
    }
    if (confirm_wanted_ && !failing_) begin_confirm();
}

TenantActor::Job* TenantActor::in_flight_with_key_of(const Job& job) {
    if (job.request.dry_run) return nullptr;
    const auto found = keys_in_flight_.find(job.request.key);
    return found == keys_in_flight_.end() ? nullptr : found->second;
}

std::optional<Outcome> TenantActor::earlier_answer(const Job& job) {
    // A dry run neither takes nor uses a key: it tells what would happen under a new one.
    if (job.request.dry_run) return std::nullopt;
    if (job.request.key_is_fresh && !job.may_be_written) return std::nullopt;
    const auto refuse = [](Error error) {
        return Outcome(std::unexpected(Refusal(std::move(error))));
    };
    const auto position = surroundings_.log.find_key(tenant_, job.request.key);
    if (!position) return refuse(position.error());
    if (!*position) return std::nullopt;
    const auto record = surroundings_.log.read(tenant_, **position);
    if (!record) return refuse(record.error());
    const auto commit = eventstore::decode(*record);
    if (!commit) return refuse(commit.error());
    if (commit->fingerprint != job.fingerprint) return std::unexpected(Refusal(KeyReused{}));
    Done done = answer_of(*commit);
    done.repeated = true;
    return done;
}

TenantActor::Decided TenantActor::decide_any(Job& job) {
    Result<Decided> decided = std::visit(
        [&](auto& module_command) {
            return std::visit([&](auto& command) { return decide_one(job, command); },
                              module_command);
        },
        job.request.command);
    if (decided) return *std::move(decided);
    return {std::unexpected(Refusal(std::move(decided).error())), std::nullopt};
}

template <class Command>
Result<TenantActor::Decided> TenantActor::decide_one(Job& job, Command& command) {
    using Module = typename module_of<Command, Modules>::type;
    using State = typename state_of<Command, typename Module::States>::type;
    const Request& request = job.request;
    const auto refuse = [](Refusal refusal) {
        return Decided{std::unexpected(std::move(refusal)), std::nullopt};
    };

    const std::string* grant = find_grant(request.caller.grants, Command::permission);
    if (grant == nullptr) return refuse(Denied{std::string(Command::permission)});
    if constexpr (Command::creates) {
        if (!job.has_target) {
            command.set_target(new_uuid(now(), surroundings_.random));
            aggregates_.template begin<State>(command.stream().id);
        }
        job.has_target = true;
    }
    const StreamId target = command.stream();
    BOS_TRY(Loaded<State>* const loaded, aggregates_.template load<State>(target.id));
    const bool exists = loaded->version.value > 0;
    if (exists &&
        !Module::visible(loaded->state, request.caller.actor.id, request.caller.grants.scope)) {
        return refuse(Module::not_found(loaded->state));
    }
    if (request.expected_version && *request.expected_version != loaded->version) {
        if (!exists && !Command::creates) return refuse(Module::not_found(loaded->state));
        return refuse(VersionConflict{loaded->version});
    }

    typename Module::Facts facts{.now = now(), .actor = request.caller.actor, .new_id = {}};
    facts.new_id = new_uuid(facts.now, surroundings_.random);
    Module::add_grants(facts, request.caller.grants);
    auto load = [&]<class Other>(const Uuid& id) -> Result<const Other*> {
        BOS_TRY(const Loaded<Other>* const other, aggregates_.template load<Other>(id));
        return &other->state;
    };
    BOS_CHECK(Module::gather(loaded->state, command, load, facts));

    domain::Decision<typename Module::Event> decision;
    if constexpr (Module::template needs_plain<Command>) {
        State plain = loaded->state;
        BOS_CHECK(eventstore::open_fields(Module::personal(plain), surroundings_.sealer, tenant_,
                                          target));
        decision = decide(plain, command, facts);
    } else {
        decision = decide(loaded->state, command, facts);
    }
    if (!decision) return refuse(std::move(decision).error());

    Done done{.position = decided_.position,
              .target = target,
              .version = loaded->version,
              .foreseen = {}};
    done.created = Command::creates;
    done.changed = !decision->empty();
    if (request.dry_run) {
        BOS_TRY(done.foreseen, foresee(*decision));
        return Decided{std::move(done), std::nullopt};
    }
    // Nobody else can know a fresh key, so nothing has to remember it.
    if (decision->empty() && request.key_is_fresh && job.lost_at <= durable_)
        return Decided{std::move(done), std::nullopt};

    eventstore::Commit commit{
        .tenant = tenant_,
        .position = decided_.position.next(),
        .previous_hash = decided_.hash,
        .recorded_at = facts.now,
        .command = std::string(Command::wire_name),
        .key = request.key,
        .fingerprint = job.fingerprint,
        .actor = request.caller.actor,
        .on_behalf_of = request.caller.on_behalf_of,
        .correlation = request.correlation,
        .causation = request.causation,
        .depth = request.depth,
        .grant = *grant + "@" + std::string(name_of(request.caller.grants.scope)),
        .target = target.id,
        .target_version = decision->empty() ? loaded->version : Version{},
        .events = {}};
    BOS_CHECK((record_events<Module>(*decision, commit)));
    Done answer = answer_of(commit);
    return Decided{std::move(answer), std::move(commit)};
}

/// Seals and numbers the events, then evolves the aggregates: all that can fail comes before the
/// first change.
template <class Module, class Event>
Result<void> TenantActor::record_events(std::vector<Event>& events, eventstore::Commit& commit) {
    Result<void> result;
    const auto for_each_event = [&](auto&& function) {
        for (Event& any : events) {
            std::visit(
                [&]<class E>(E& event) {
                    if (result) result = function.template operator()<E>(event);
                },
                any);
        }
        return result;
    };
    BOS_CHECK(for_each_event([&]<class E>(E& event) -> Result<void> {
        BOS_CHECK(aggregates_.template load<typename state_of<E, typename Module::States>::type>(
            event.stream().id));
        return eventstore::seal_fields(event, surroundings_.sealer, tenant_, event.stream());
    }));
    return for_each_event([&]<class E>(E& event) -> Result<void> {
        using State = typename state_of<E, typename Module::States>::type;
        BOS_TRY(Loaded<State>* const loaded, aggregates_.template load<State>(event.stream().id));
        loaded->version = loaded->version.next();
        loaded->changed_at = commit.position;
        commit.events.push_back({.type = std::string(E::wire_name),
                                 .number = E::number,
                                 .schema_version = E::schema_version,
                                 .stream = event.stream(),
                                 .version = loaded->version,
                                 .payload = encode(event)});
        loaded->state = evolve(std::move(loaded->state), event);
        return {};
    });
}

template <class Event>
Result<std::vector<ForeseenEvent>> TenantActor::foresee(const std::vector<Event>& events) {
    std::vector<ForeseenEvent> foreseen;
    std::unordered_map<StreamId, Version> versions;
    Result<void> result;
    for (const Event& any : events) {
        std::visit(
            [&]<class E>(const E& event) {
                const StreamId stream = event.stream();
                if (!versions.contains(stream)) {
                    auto loaded =
                        aggregates_.template load<typename state_of<E, AllStates>::type>(stream.id);
                    if (!loaded) {
                        result = std::unexpected(std::move(loaded).error());
                        return;
                    }
                    versions[stream] = (*loaded)->version;
                }
                versions[stream] = versions[stream].next();
                foreseen.push_back({std::string(E::wire_name), stream, versions[stream],
                                    to_json(event, ShowPii::plain)});
            },
            any);
    }
    if (!result) return std::unexpected(std::move(result).error());
    return foreseen;
}

/// Never before the last record, whatever the clock does: the log is searched by time.
Timestamp TenantActor::now() { return std::max(surroundings_.clock.now(), last_recorded_); }

void TenantActor::completed(Result<eventstore::Head> result) {
    const auto oldest =
        std::find_if(pending_.begin() + static_cast<std::ptrdiff_t>(with_result_), pending_.end(),
                     [](const Pending& pending) { return pending.commit.has_value(); });
    BOS_ASSERT(oldest != pending_.end() && outstanding_ > 0);
    with_result_ = static_cast<std::size_t>(oldest - pending_.begin()) + 1;
    --outstanding_;
    if (result) {
        BOS_ASSERT(result->position == oldest->commit->position && result->hash == oldest->hash);
        oldest->durable = true;
        durable_ = result->position;
    } else {
        oldest->failure = std::move(result).error();
        failing_ = true;
    }
}

void TenantActor::settle() {
    if (sink_is_behind()) return;  // applied() comes back here
    std::vector<eventstore::Commit> commits;
    while (!pending_.empty() && !pending_.front().failure &&
           (pending_.front().commit ? pending_.front().durable
                                    : pending_.front().confirm <= confirmed_) &&
           commits.size() < commits_of_a_batch) {
        Pending& front = pending_.front();
        if (front.commit) {
            keys_in_flight_.erase(front.job.request.key);
            commits.push_back(*std::move(front.commit));
        }
        applying_.push_back(
            {std::move(front.job), *std::move(front.outcome), batches_handed_over_ + 1});
        pending_.pop_front();
        if (with_result_ > 0) --with_result_;
    }
    if (!commits.empty()) return hand_over(std::move(commits));
    // Answers without commits, and nothing before them.
    for (; !applying_.empty(); applying_.pop_front())
        answer(applying_.front().job, applying_.front().outcome);
    if (failing_ && outstanding_ == 0 && !confirming_) recover();
}

/// To be called last: the sink may be done with them at once.
void TenantActor::hand_over(std::vector<eventstore::Commit> commits) {
    handed_over_ = commits.back().position;
    ++batches_handed_over_;
    surroundings_.sink.committed(tenant_, std::move(commits), [this] { applied(); });
}

void TenantActor::applied() {
    ++batches_applied_;
    answer_applied();
    settle();
}

void TenantActor::answer_applied() {
    for (; !applying_.empty() && applying_.front().batch <= batches_applied_; applying_.pop_front())
        answer(applying_.front().job, applying_.front().outcome);
}

/// Every result is in and the front of the queue has failed. The log is the truth: what it holds is
/// done, what it does not hold is refused or decided again.
void TenantActor::recover() {
    std::deque<Pending> pending = std::exchange(pending_, {});
    std::deque<Job> waiting = std::exchange(waiting_, {});
    with_result_ = 0;
    confirm_wanted_ = false;
    keys_in_flight_.clear();
    failing_ = false;
    const auto written = read_on();
    if (!written) {
        spdlog::error("tenant log cannot be read after a failed append: {}",
                      written.error().detail);
        return give_up(std::move(pending), std::move(waiting));
    }
    for (Pending& item : pending) {
        const bool again = !item.failure || item.failure->code == Code::conflict ||
                           item.failure->code == Code::unknown;
        if (item.failure && item.failure->code == Code::unknown)
            item.job.lost_at = std::max(item.job.lost_at, item.commit->position);
        // An append of unknown outcome may be there, and then those chained on it, too.
        if (item.commit && written->contains(item.hash)) {
            applying_.push_back(
                {std::move(item.job), *std::move(item.outcome), batches_handed_over_});
            answer_applied();
        } else if (!again) {
            answer(item.job, std::unexpected(Refusal(*item.failure)));
        } else if (item.failure && ++item.job.attempts > attempts_max) {
            answer(item.job, std::unexpected(Refusal(
                                 Error{Code::unavailable, "another owner writes to this tenant"})));
        } else {
            item.job.may_be_written |= item.commit.has_value();
            take(std::move(item.job));
        }
    }
    for (Job& job : waiting) take(std::move(job));
    if (failing_) settle();
}

/// Takes the log's end for the truth and hands the sink what was written since it last heard of the
/// log, whoever wrote it. Gives the hashes of these records.
Result<std::set<Hash>> TenantActor::read_on() {
    aggregates_.clear();
    stale_ = true;
    BOS_CHECK(read_end());
    std::set<Hash> written;
    std::vector<eventstore::Commit> commits;
    const auto pass_on = [&] {
        if (!commits.empty()) hand_over(std::exchange(commits, {}));
    };
    Result<void> sound;
    BOS_CHECK(surroundings_.log.scan(tenant_, handed_over_.next(), durable_,
                                     [&](Position, std::string_view record) {
                                         auto commit = eventstore::decode(record);
                                         if (!commit) {
                                             sound = std::unexpected(std::move(commit).error());
                                             return false;
                                         }
                                         written.insert(eventstore::hash_of(record));
                                         commits.push_back(*std::move(commit));
                                         if (commits.size() == commits_of_a_batch) pass_on();
                                         return true;
                                     }));
    pass_on();
    BOS_CHECK(sound);
    stale_ = false;
    return written;
}

void TenantActor::give_up(std::deque<Pending> pending, std::deque<Job> waiting) {
    for (Pending& lost : pending) {
        const bool may_be_written =
            lost.durable || (lost.failure && lost.failure->code == Code::unknown);
        const Error error = may_be_written
                                ? Error{Code::unknown, "the log cannot be read at the moment"}
                                : unreadable();
        answer(lost.job, std::unexpected(Refusal(error)));
    }
    for (Job& job : waiting) answer(job, std::unexpected(Refusal(unreadable())));
}

/// A refusal says that nothing was written, for ever: not of a command whose record may still come.
void TenantActor::answer(Job& job, const Outcome& outcome) const {
    const bool open = !outcome && job.lost_at > durable_;
    const Outcome unknown = std::unexpected(
        Refusal(Error{Code::unknown, "an earlier append of it had no certain outcome"}));
    for (Reply& reply : job.replies) reply(open ? unknown : outcome);
    job.replies.clear();
}

}  // namespace bos::commands
