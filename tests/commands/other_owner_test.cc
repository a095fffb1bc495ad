#include "tests/commands/behaviour.h"
#include "tests/commands/log_facts.h"
#include "tests/commands/rig.h"

// Two processes believe that they own a tenant (design.md 1.3): slow, never wrong.

namespace bos::commands::test {

namespace {

struct TwoOwners {
    Machine machine;
    Rig rig{machine};
    Rig other{machine};
    leads::LeadId lead = rig.ask_for(capture()).lead();
};

}  // namespace

TEST_CASE("who finds that another owner wrote reads on and decides again") {
    TwoOwners f;
    const Answer ours = f.rig.send_for(score(f.lead, 1));
    CHECK_EQ(f.other.ask_for(score(f.lead, 50)).done().version, Version{2});
    f.rig.settle();
    CHECK_EQ(ours.done().version, Version{3});
    const auto commits = commits_in(f.machine, acme);
    REQUIRE_EQ(commits.size(), 3);
    CHECK_EQ(decode<leads::LeadScored>(commits[2].events[0].payload)->previous_score, 50);
    check_sound(f.machine, acme);
}

TEST_CASE("the sink hears of another owner's records before what was decided on them") {
    TwoOwners f;
    f.rig.send(request(score(f.lead, 1), "ours"));
    for (std::int32_t i = 0; i < 600; ++i) f.other.ask_for(score(f.lead, 100 + i));
    f.rig.journal.clear();
    f.rig.settle();
    CHECK_EQ(f.rig.journal.front(), "sink 2");
    CHECK_EQ(f.rig.journal.back(), "done ours");
    CHECK_EQ(f.rig.sink.commits, commits_in(f.machine, acme));
}

TEST_CASE("what another owner did can change the outcome") {
    TwoOwners f;
    const Answer hold = f.rig.send_for(leads::HoldLead{.lead = f.lead});
    const Answer tagged = f.rig.send_for(tag(f.lead, "vip"));
    Request expecting = request(score(f.lead, 5));
    expecting.expected_version = Version{3};
    const Answer conflict = f.rig.send(expecting);
    f.other.ask_for(leads::DisqualifyLead{.lead = f.lead, .lost_reason = "other"});
    f.other.ask_for(tag(f.lead, "vip"));
    f.other.ask_for(tag(f.lead, "big"));
    f.rig.settle();
    CHECK(hold.is_rejected(leads::Rejection::lead_disqualified));
    CHECK_FALSE(tagged.done().changed);
    REQUIRE(conflict.refusal<VersionConflict>() != nullptr);
    CHECK_EQ(conflict.refusal<VersionConflict>()->current, Version{4});
    CHECK_EQ(behaviour(f.rig, f.machine, {f.lead}), behaviour(f.other, f.machine, {f.lead}));
}

TEST_CASE("the same command sent to both owners has one effect and one answer") {
    TwoOwners f;
    const Request asked = request(score(f.lead, 1), "once");
    const Answer ours = f.rig.send(asked);
    const Answer theirs = f.other.ask(asked);
    f.rig.settle();
    CHECK_EQ(ours.done().position, theirs.done().position);
    CHECK_EQ(ours.done().version, theirs.done().version);
    CHECK_EQ(commits_in(f.machine, acme).size(), 2);
}

TEST_CASE("a command that always loses is given back") {
    TwoOwners f;
    const Answer ours = f.rig.send_for(tag(f.lead, "ours"));
    std::int32_t lost = 0;
    while (!ours.given() && lost < 100) {
        f.other.ask_for(score(f.lead, ++lost));
        f.rig.step();
        f.rig.poll();
    }
    CHECK(ours.fails_with(Code::unavailable));
    CHECK(lost < 20);
    CHECK_EQ(commits_in(f.machine, acme).size(), static_cast<std::size_t>(lost) + 1);
    CHECK(f.rig.ask_for(tag(f.lead, "ours")).is_done());
}

TEST_CASE("an owner that the log has left behind decides on one position, not on several") {
    // It has seen a tenant without pipelines; the lead that it is asked about came later.
    Machine machine;
    Rig rig(machine);
    Rig other(machine);
    CHECK(rig.ask(dry_run(capture())).is_done());
    const leads::LeadId lead = other.ask_for(capture()).lead();
    CHECK(rig.ask_for(score(lead, 1)).is_rejected(leads::Rejection::lead_not_found));
    // The first thing that it writes tells it.
    CHECK_EQ(rig.ask_for(capture()).done().position, Position{2});
    CHECK(rig.ask_for(score(lead, 1)).is_done());
    check_sound(machine, acme);
}

}  // namespace bos::commands::test
