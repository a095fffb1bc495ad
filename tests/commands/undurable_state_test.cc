#include "tests/commands/log_facts.h"
#include "tests/commands/rig.h"

// Answers that write nothing rest on records all the same: they wait for these, and are found anew
// when these come to nothing.

namespace bos::commands::test {

using Fault = eventstore::test::FaultyLog::Fault;

namespace {

struct Fixture {
    Machine machine;
    Rig rig{machine};
    leads::LeadId lead = rig.ask_for(capture()).lead();

    [[nodiscard]] leads::DisqualifyLead disqualify() const {
        return {.lead = lead, .lost_reason = "no_budget"};
    }
    /// The first of them fails, and is out when the second is decided.
    template <class First, class Second>
    std::pair<Answer, Answer> fail_first(Fault fault, First first, Second second) {
        rig.faults.fail_append(1, fault);
        rig.faults.hold();
        const Answer failing = rig.send_for(std::move(first));
        const Answer other = rig.send(std::move(second));
        CHECK_FALSE(failing.given());
        CHECK_FALSE(other.given());
        rig.faults.release();
        rig.settle();
        return {failing, other};
    }
};

}  // namespace

TEST_CASE("a rejection waits until what it rests on is durable") {
    Fixture f;
    const Answer lost = f.rig.send_for(f.disqualify());
    const Answer rejected = f.rig.send_for(leads::HoldLead{.lead = f.lead});
    CHECK_FALSE(rejected.given());
    f.rig.settle();
    CHECK(lost.is_done());
    CHECK(rejected.is_rejected(leads::Rejection::lead_disqualified));
}

TEST_CASE("what was rejected because of a record that failed is decided again, and done") {
    Fixture f;
    const auto [lost, held] =
        f.fail_first(Fault::full, f.disqualify(), request(leads::HoldLead{.lead = f.lead}));
    CHECK(lost.fails_with(Code::full));
    CHECK_EQ(held.done().version, Version{2});
}

TEST_CASE("what was done because of a record that failed is decided again, and rejected") {
    Fixture f;
    f.rig.ask_for(f.disqualify());
    const auto [recycled, held] =
        f.fail_first(Fault::unavailable, leads::RecycleLead{.lead = f.lead},
                     request(leads::HoldLead{.lead = f.lead}));
    CHECK(recycled.fails_with(Code::unavailable));
    CHECK(held.is_rejected(leads::Rejection::lead_disqualified));
    CHECK_EQ(commits_in(f.machine, acme).size(), 2);
}

TEST_CASE("that nothing had to change is told when that is durable, and else it is changed") {
    Fixture f;
    const Answer first = f.rig.send_for(tag(f.lead, "vip"));
    const Answer second = f.rig.send_for(tag(f.lead, "vip"));
    CHECK_FALSE(second.given());
    f.rig.settle();
    CHECK_FALSE(second.done().changed);
    CHECK_EQ(second.done().version, first.done().version);
    CHECK_EQ(second.done().position, first.done().position);

    const auto [third, fourth] =
        f.fail_first(Fault::full, tag(f.lead, "big"), request(tag(f.lead, "big")));
    CHECK(third.fails_with(Code::full));
    CHECK(fourth.done().changed);
    CHECK_EQ(fourth.done().version, Version{3});
}

TEST_CASE("a dry run foresees on what is durable only") {
    Fixture f;
    const auto [failed, foreseen] =
        f.fail_first(Fault::full, tag(f.lead, "vip"), dry_run(tag(f.lead, "vip")));
    REQUIRE_EQ(foreseen.done().foreseen.size(), 1);
    CHECK_EQ(foreseen.done().foreseen[0].version, Version{2});
}

TEST_CASE("an answer that rests on durable records alone comes at once") {
    Fixture f;
    CHECK(f.rig.send_for(leads::ResumeLead{.lead = f.lead})
              .is_rejected(leads::Rejection::lead_not_on_hold));
}

TEST_CASE("a version conflict with a record that failed is none") {
    Fixture f;
    Request expecting = request(tag(f.lead, "big"));
    expecting.expected_version = Version{1};
    const auto [failed, answer] = f.fail_first(Fault::full, tag(f.lead, "vip"), expecting);
    CHECK_EQ(answer.done().version, Version{2});
}

TEST_CASE("a key that a failed record had is free, also for who was told that it is taken") {
    Fixture f;
    f.rig.faults.fail_append(1, Fault::full);
    f.rig.faults.hold();
    const Answer failed = f.rig.send(request(tag(f.lead, "vip"), "k"));
    const Answer other = f.rig.send(request(tag(f.lead, "big"), "k"));
    const Answer again = f.rig.send(request(tag(f.lead, "vip"), "k"));
    CHECK_FALSE(other.given());
    f.rig.faults.release();
    f.rig.settle();
    CHECK(failed.fails_with(Code::full));
    CHECK(again.fails_with(Code::full));
    CHECK(other.done().changed);
}

}  // namespace bos::commands::test
