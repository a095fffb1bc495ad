#include "tests/commands/log_facts.h"
#include "tests/commands/rig.h"

namespace bos::commands::test {

using Journal = std::vector<std::string>;

TEST_CASE("the first lead of a tenant stands at position 1 with version 1") {
    Machine machine;
    Rig rig(machine);
    const Answer answer = rig.ask_for(capture());
    CHECK_EQ(answer.done().position, Position{1});
    CHECK_EQ(answer.done().version, Version{1});
    CHECK_EQ(answer.done().target.type, leads::LeadState::aggregate);
    CHECK(answer.done().created);
    CHECK(answer.done().changed);
    CHECK_FALSE(answer.done().repeated);
    CHECK_EQ(fold(commits_in(machine, acme)).lead_states.count(answer.done().target.id), 1);
    check_sound(machine, acme);
}

TEST_CASE("an answer comes after the record is durable, and after the sink has it") {
    Machine machine;
    Rig rig(machine);
    const Answer first = rig.send(request(capture(), "first"));
    const Answer second = rig.send(request(capture(), "second"));
    CHECK_FALSE(first.given());
    CHECK(rig.step());
    CHECK_FALSE(first.given());  // the shard has not heard of it
    rig.poll();
    CHECK(first.is_done());
    CHECK_FALSE(second.given());
    CHECK_EQ(rig.journal, Journal{"sink 1", "done first"});
    rig.settle();
    CHECK_EQ(rig.journal, Journal{"sink 1", "done first", "sink 2", "done second"});
}

TEST_CASE("a group that becomes durable at once goes to the sink before the first answer") {
    Machine machine;
    Rig rig(machine);
    for (const char* key : {"a", "b", "c"}) rig.send(request(capture(), key));
    rig.step_all();
    rig.poll();
    CHECK_EQ(rig.journal, Journal{"sink 1", "sink 2", "sink 3", "done a", "done b", "done c"});
    CHECK_EQ(rig.sink.commits, commits_in(machine, acme));
}

TEST_CASE("commands decide on what those before them decided, durable or not") {
    Machine machine;
    Rig rig(machine);
    constexpr std::size_t count = 100;
    std::vector<Answer> answers;
    for (std::size_t i = 0; i < count; ++i) answers.push_back(rig.send_for(capture()));
    CHECK_EQ(rig.appends_waiting(), count);
    CHECK(commits_in(machine, acme).empty());
    rig.step_all();
    rig.poll();
    for (std::size_t i = 0; i < count; ++i) {
        CHECK_EQ(answers[i].done().position, Position{i + 1});
        CHECK_EQ(answers[i].done().version, Version{1});
    }
    check_sound(machine, acme);
    CHECK_EQ(fold(commits_in(machine, acme)).counter.last_number, count);
}

TEST_CASE("a chain of changes to one lead is decided before the first of them is durable") {
    Machine machine;
    Rig rig(machine);
    const leads::LeadId lead = rig.ask_for(capture()).lead();
    std::vector<Answer> answers;
    for (std::int32_t i = 1; i <= 20; ++i) answers.push_back(rig.send_for(score(lead, i)));
    CHECK_EQ(rig.appends_waiting(), 20);
    rig.settle();
    for (std::size_t i = 0; i < answers.size(); ++i) {
        CHECK_EQ(answers[i].done().version, Version{i + 2});
    }
    // Each event names the score before it, so each saw the one before.
    std::int32_t score_before = 0;
    for (const eventstore::Commit& commit : commits_in(machine, acme)) {
        if (commit.command != leads::ScoreLead::wire_name) continue;
        const auto scored = decode<leads::LeadScored>(commit.events.front().payload).value();
        CHECK_EQ(scored.previous_score, score_before);
        score_before = scored.score;
    }
    CHECK_EQ(score_before, 20);
}

TEST_CASE("tenants do not wait for each other's records and do not see each other's leads") {
    Machine machine;
    Rig rig(machine);
    Request elsewhere = request(capture());
    elsewhere.tenant = tenant("globex");
    const leads::LeadId lead = rig.ask_for(capture()).lead();
    CHECK_EQ(rig.ask(elsewhere).done().position, Position{1});
    Request stranger = request(tag(lead, "vip"));
    stranger.tenant = tenant("globex");
    CHECK(rig.ask(stranger).is_rejected(leads::Rejection::lead_not_found));
    CHECK_EQ(commits_in(machine, tenant("globex")).size(), 1);
}

TEST_CASE("a dry run tells what would happen, and nothing does") {
    Machine machine;
    Rig rig(machine);
    const leads::LeadId lead = rig.ask_for(capture()).lead();
    const Answer answer = rig.ask(dry_run(tag(lead, "vip")));
    REQUIRE_EQ(answer.done().foreseen.size(), 1);
    CHECK_EQ(answer.done().foreseen[0].type, leads::LeadTagged::wire_name);
    CHECK_EQ(answer.done().foreseen[0].version, Version{2});
    CHECK_EQ(answer.done().position, Position{1});
    CHECK_EQ(rig.ask(dry_run(capture())).done().foreseen.size(), 2);
    CHECK_EQ(commits_in(machine, acme).size(), 1);
    CHECK_EQ(rig.ask_for(tag(lead, "vip")).done().version, Version{2});
}

}  // namespace bos::commands::test
