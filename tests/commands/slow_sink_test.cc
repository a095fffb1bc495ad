#include "tests/commands/behaviour.h"
#include "tests/commands/log_facts.h"
#include "tests/commands/rig.h"

// The views apply commits while the shard decides: answers wait for them.

namespace bos::commands::test {

using Fault = eventstore::test::FaultyLog::Fault;

namespace {

struct Fixture {
    Machine machine;
    Rig rig{machine};
    leads::LeadId lead = rig.ask_for(capture()).lead();

    Fixture() { rig.sink.slow = true; }

    /// Durable, and with the sink if that is free.
    template <class Command>
    Answer make_durable(Command command) {
        Answer answer = rig.send_for(std::move(command));
        rig.settle();
        return answer;
    }
};

}  // namespace

TEST_CASE("an answer waits until readers see what it tells") {
    Fixture f;
    const Answer scored = f.make_durable(score(f.lead, 1));
    CHECK_EQ(commits_in(f.machine, acme).size(), 2);
    CHECK_FALSE(scored.given());
    REQUIRE(f.rig.sink.apply_one());
    CHECK(scored.is_done());
}

TEST_CASE("while the sink is at work the next batch gathers") {
    Fixture f;
    const Answer first = f.make_durable(score(f.lead, 1));
    const Answer second = f.make_durable(score(f.lead, 2));
    const Answer third = f.make_durable(score(f.lead, 3));
    CHECK_EQ(f.rig.sink.commits.size(), 2);
    REQUIRE(f.rig.sink.apply_one());
    CHECK(first.is_done());
    CHECK_EQ(f.rig.sink.commits.size(), 4);
    CHECK_FALSE(second.given());
    REQUIRE(f.rig.sink.apply_one());
    CHECK(second.is_done());
    CHECK(third.is_done());
    CHECK_FALSE(f.rig.sink.apply_one());
}

TEST_CASE("an answer that writes nothing waits until readers see what it rests on") {
    Fixture f;
    const Answer lost =
        f.make_durable(leads::DisqualifyLead{.lead = f.lead, .lost_reason = "no_budget"});
    const Answer rejected = f.make_durable(leads::HoldLead{.lead = f.lead});
    CHECK_FALSE(rejected.given());
    REQUIRE(f.rig.sink.apply_one());
    CHECK(lost.is_done());
    CHECK(rejected.is_rejected(leads::Rejection::lead_disqualified));
}

TEST_CASE("a key sent again is answered when readers see what its first use did") {
    Fixture f;
    const Answer first = f.rig.send(request(score(f.lead, 1), "k"));
    f.rig.settle();
    const Answer again = f.rig.send(request(score(f.lead, 1), "k"));
    f.rig.settle();
    CHECK_FALSE(again.given());
    REQUIRE(f.rig.sink.apply_one());
    CHECK_EQ(again.done().position, first.done().position);
    CHECK_EQ(commits_in(f.machine, acme).size(), 2);
}

TEST_CASE("an append that fails while the sink is at work is settled when that is done") {
    for (const Fault fault : {Fault::unknown_written, Fault::unknown_lost, Fault::full}) {
        Fixture f;
        const Answer first = f.make_durable(score(f.lead, 1));
        f.rig.faults.fail_append(1, fault);
        const Answer second = f.make_durable(score(f.lead, 2));
        const Answer third = f.make_durable(score(f.lead, 3));
        CHECK_FALSE(first.given());
        CHECK_FALSE(second.given());
        f.rig.settle();
        while (f.rig.sink.apply_one()) f.rig.settle();
        CHECK(first.is_done());
        CHECK_EQ(second.is_done(), fault != Fault::full);
        CHECK(third.is_done());
        CHECK_EQ(f.rig.sink.commits, commits_in(f.machine, acme));
        CHECK_EQ(f.rig.shard.in_flight(), 0);
        check_sound(f.machine, acme);
    }
}

TEST_CASE("a batch has a bound, so that a busy tenant does not keep the others waiting") {
    Fixture f;
    std::vector<Answer> answers;
    for (std::int32_t i = 1; i <= 300; ++i) answers.push_back(f.rig.send_for(score(f.lead, i)));
    f.rig.step_all();
    f.rig.poll();
    const std::size_t in_first = f.rig.sink.commits.size() - 1;
    CHECK_LT(in_first, 300);
    while (f.rig.sink.apply_one()) f.rig.poll();
    for (const Answer& answer : answers) CHECK(answer.is_done());
}

}  // namespace bos::commands::test
