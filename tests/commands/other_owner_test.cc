#include "tests/commands/behaviour.h"
#include "tests/commands/log_facts.h"
#include "tests/commands/rig.h"

// Two processes believe that they own a tenant (design.md 1.3): slow, never wrong.

namespace bos::commands::test {

namespace {

struct TwoOwners {
    Machine machine{eventstore::Owners::several};
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
    Machine machine{eventstore::Owners::several};
    Rig rig(machine);
    Rig other(machine);
    CHECK(rig.ask(dry_run(capture())).is_done());
    const leads::LeadId lead = other.ask_for(capture()).lead();
    CHECK_EQ(rig.ask_for(capture()).done().position, Position{2});
    CHECK(rig.ask_for(score(lead, 1)).is_done());
    check_sound(machine, acme);
}

TEST_CASE("an owner that was overtaken in silence refuses nothing by what it knew") {
    TwoOwners f;
    const leads::LeadId theirs = f.other.ask_for(capture()).lead();
    f.other.ask_for(tag(f.lead, "vip"));
    // Each rests on a log that has grown since.
    SUBCASE("what came to be is found") { CHECK(f.rig.ask_for(score(theirs, 1)).is_done()); }
    SUBCASE("a version is the newest") {
        Request expecting = request(score(f.lead, 5));
        expecting.expected_version = Version{7};
        const Answer conflict = f.rig.ask(expecting);
        REQUIRE(conflict.refusal<VersionConflict>() != nullptr);
        CHECK_EQ(conflict.refusal<VersionConflict>()->current, Version{2});
    }
    SUBCASE("what is done already is told with its position") {
        const Done done = f.rig.ask_for(tag(f.lead, "vip")).done();
        CHECK_FALSE(done.changed);
        CHECK_EQ(done.position, Position{3});
    }
    SUBCASE("what would happen is what would") {
        CHECK_EQ(f.rig.ask(dry_run(tag(f.lead, "big"))).done().foreseen.at(0).version, Version{3});
    }
    check_sound(f.machine, acme);
}

TEST_CASE("a refusal waits until it is known that the log ends where it seems to") {
    TwoOwners f;
    const auto refused = [&] { return f.rig.send_for(score(leads::LeadId(Uuid{}), 1)); };
    const Answer first = refused();
    // These come while it is asked, so they need to ask once more: together.
    const Answer second = refused();
    const Answer third = refused();
    const Answer written = f.rig.send_for(score(f.lead, 1));
    CHECK_FALSE(first.given());
    REQUIRE(f.rig.step());
    f.rig.poll();
    CHECK(first.is_rejected(leads::Rejection::lead_not_found));
    CHECK_FALSE(second.given());
    f.rig.settle();
    for (const Answer& each : {second, third})
        CHECK(each.is_rejected(leads::Rejection::lead_not_found));
    CHECK(written.is_done());
}

TEST_CASE("a refusal that cannot be made certain is none") {
    TwoOwners f;
    f.rig.faults.fail_confirms(Code::unavailable);
    const Answer unsure = f.rig.ask_for(score(leads::LeadId(Uuid{}), 1));
    CHECK(unsure.fails_with(Code::unavailable));
    // What is written proves itself, and so does what was.
    const Request asked = request(score(f.lead, 1), "once");
    CHECK(f.rig.ask(asked).is_done());
    CHECK(f.rig.ask(asked).done().repeated);
    f.rig.faults.fail_confirms(std::nullopt);
    CHECK(f.rig.ask_for(score(leads::LeadId(Uuid{}), 1))
              .is_rejected(leads::Rejection::lead_not_found));
}

TEST_CASE("an owner that another one always overtakes gives its refusals back") {
    TwoOwners f;
    f.rig.faults.fail_confirms(Code::conflict);
    CHECK(f.rig.ask_for(score(leads::LeadId(Uuid{}), 1)).fails_with(Code::unavailable));
}

}  // namespace bos::commands::test
