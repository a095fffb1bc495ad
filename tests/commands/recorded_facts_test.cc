#include "tests/commands/log_facts.h"
#include "tests/commands/rig.h"

#include <chrono>
#include <memory>

namespace bos::commands::test {

using std::chrono::hours;
using std::chrono::seconds;

TEST_CASE("a record tells who asked, for whom, by which grant and why") {
    Machine machine;
    Rig rig(machine);
    Request asked = request(capture(), "the key");
    asked.caller = caller(ben, Scope::assigned, {"work:*:*", "leads:*:create"});
    asked.caller.actor.kind = ActorKind::service;
    asked.caller.on_behalf_of = Actor{.kind = ActorKind::user, .id = anna};
    asked.correlation = uuid(7);
    asked.causation = Position{5};
    asked.depth = 3;
    const Answer answer = rig.ask(asked);
    const eventstore::Commit commit = commits_in(machine, acme).at(0);
    CHECK_EQ(commit.tenant, acme);
    CHECK_EQ(commit.position, Position{1});
    CHECK_EQ(commit.previous_hash, Hash{});
    CHECK_EQ(commit.recorded_at, machine.clock.now());
    CHECK_EQ(commit.command, leads::CaptureLead::wire_name);
    CHECK_EQ(commit.key, "the key");
    CHECK_EQ(commit.actor, asked.caller.actor);
    CHECK_EQ(commit.on_behalf_of, asked.caller.on_behalf_of);
    CHECK_EQ(commit.correlation, uuid(7));
    CHECK_EQ(commit.causation, Position{5});
    CHECK_EQ(commit.depth, 3);
    CHECK_EQ(commit.grant, "leads:*:create@assigned");
    CHECK_EQ(commit.target, answer.done().target.id);
    CHECK_EQ(commit.events.back().type, leads::LeadCaptured::wire_name);
    CHECK_EQ(commit.events.back().number, leads::LeadCaptured::number);
    CHECK_EQ(commit.events.back().version, Version{1});
    const auto captured = decode<leads::LeadCaptured>(commit.events.back().payload).value();
    CHECK_EQ(captured.captured_by, ben);
    CHECK_EQ(captured.captured_at, commit.recorded_at);
}

TEST_CASE("the fingerprint is of the command, its body and the actor, and of nothing else") {
    Machine machine;
    Rig rig(machine);
    const auto fingerprint = [&](const Request& asked) {
        REQUIRE(rig.ask(asked).is_done());
        return commits_in(machine, acme).back().fingerprint;
    };
    const Hash first = fingerprint(request(capture("Acme")));
    Request otherwise = request(capture("Acme"));
    otherwise.correlation = uuid(7);
    otherwise.causation = Position{1};
    otherwise.depth = 2;
    otherwise.expected_version = Version{0};
    otherwise.caller.grants = {.permissions = {"leads:lead:create"}, .scope = Scope::own};
    machine.clock.advance(hours(1));
    CHECK_EQ(fingerprint(otherwise), first);

    CHECK_NE(fingerprint(request(capture("Globex"))), first);
    Request by_ben = request(capture("Acme"));
    by_ben.caller = caller(ben);
    CHECK_NE(fingerprint(by_ben), first);
}

TEST_CASE("time in the log never runs backwards, whatever the clock does") {
    Machine machine;
    auto rig = std::make_unique<Rig>(machine);
    const leads::LeadId lead = rig->ask_for(capture()).lead();
    const Timestamp latest = machine.clock.now();
    machine.clock.advance(-hours(2));
    rig->send_for(score(lead, 1));
    machine.clock.advance(seconds(1));
    rig->send_for(score(lead, 2));
    rig->settle();
    rig.reset();
    rig = std::make_unique<Rig>(machine);
    rig->ask_for(score(lead, 3));
    for (const eventstore::Commit& commit : commits_in(machine, acme)) {
        CHECK_EQ(commit.recorded_at, latest);
    }
    machine.clock.set(latest + seconds(5));
    rig->ask_for(score(lead, 4));
    CHECK_EQ(commits_in(machine, acme).back().recorded_at, latest + seconds(5));
    check_sound(machine, acme);
}

TEST_CASE("a stay is as long as the log's time says") {
    Machine machine;
    Rig rig(machine);
    const leads::LeadId lead = rig.ask_for(capture()).lead();
    machine.clock.advance(seconds(90));
    rig.ask_for(leads::HoldLead{.lead = lead});
    const auto held = decode<leads::LeadHeld>(commits_in(machine, acme).back().events[0].payload);
    CHECK_EQ(held->move.time_in_stage_us, 90'000'000);
    CHECK_EQ(held->move.at, machine.clock.now());
}

TEST_CASE("all events of a command stand in one record") {
    Machine machine;
    Rig rig(machine);
    rig.ask_for(capture());
    // The first lead of a tenant brings the default pipeline, six reasons and its number.
    const auto commits = commits_in(machine, acme);
    REQUIRE_EQ(commits.size(), 1);
    CHECK_EQ(commits[0].events.size(), 9);
    CHECK_EQ(fold(commits).book.reasons.size(), 6);
}

}  // namespace bos::commands::test
