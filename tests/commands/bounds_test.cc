#include "tests/commands/log_facts.h"
#include "tests/commands/rig.h"

namespace bos::commands::test {

TEST_CASE("more commands than may be in flight are refused at once") {
    Machine machine;
    Rig rig(machine, {.commands_in_flight_max = 4});
    std::vector<Answer> answers;
    for (int i = 0; i < 6; ++i) answers.push_back(rig.submit(request(capture())));
    CHECK_EQ(rig.shard.in_flight(), 4);
    for (const Answer& answer : answers) CHECK_FALSE(answer.given());  // never inside submit
    rig.poll();
    CHECK(answers[4].fails_with(Code::unavailable));
    CHECK(answers[5].fails_with(Code::unavailable));
    CHECK_FALSE(answers[3].given());
    rig.settle();
    for (std::size_t i = 0; i < 4; ++i) CHECK(answers[i].is_done());
    CHECK_EQ(rig.shard.in_flight(), 0);
    CHECK(rig.ask_for(capture()).is_done());
    CHECK_EQ(commits_in(machine, acme).size(), 5);
}

TEST_CASE("a shard that drains refuses what comes and answers what it took, then says so once") {
    Machine machine;
    Rig rig(machine);
    int drained = 0;
    const Answer decided = rig.send_for(capture());
    const Answer taken = rig.submit(request(capture()));
    rig.shard.drain([&] { ++drained; });
    const Answer late = rig.submit(request(capture()));
    rig.poll();
    CHECK(late.fails_with(Code::unavailable));
    CHECK_FALSE(decided.given());
    CHECK_EQ(drained, 0);
    rig.settle();
    CHECK(decided.is_done());
    CHECK(taken.is_done());
    CHECK_EQ(drained, 1);
    CHECK(rig.send_for(capture()).fails_with(Code::unavailable));
    CHECK_EQ(drained, 1);
    CHECK_EQ(commits_in(machine, acme).size(), 2);
}

TEST_CASE("an idle shard is drained at once") {
    Machine machine;
    Rig rig(machine);
    bool drained = false;
    rig.shard.drain([&] { drained = true; });
    CHECK_FALSE(drained);
    rig.poll();
    CHECK(drained);
}

TEST_CASE("a shard drains although an append failed") {
    Machine machine;
    Rig rig(machine);
    bool drained = false;
    rig.faults.fail_append(1, eventstore::test::FaultyLog::Fault::full);
    const Answer first = rig.send_for(capture());
    const Answer second = rig.send_for(capture());
    rig.shard.drain([&] { drained = true; });
    rig.settle();
    CHECK(first.fails_with(Code::full));
    CHECK(second.is_done());
    CHECK(drained);
}

TEST_CASE("idle tenants are closed and come back as they were") {
    Machine machine;
    Rig rig(machine, {.commands_in_flight_max = 4096, .tenants_open_max = 2});
    const auto of = [](const std::string& name, auto command) {
        Request asked = request(std::move(command));
        asked.tenant = tenant(name);
        return asked;
    };
    const std::vector<std::string> names{"a", "b", "c", "d", "e"};
    std::map<std::string, leads::LeadId> leads_of;
    for (const std::string& name : names) leads_of[name] = rig.ask(of(name, capture())).lead();
    for (std::int32_t round = 1; round <= 3; ++round) {
        std::vector<Answer> answers;
        for (const std::string& name : names) {
            answers.push_back(rig.send(of(name, score(leads_of[name], round))));
            answers.push_back(rig.send(of(name, score(leads_of[name], -round))));
        }
        rig.settle();
        for (const Answer& answer : answers) CHECK(answer.done().changed);
    }
    for (const std::string& name : names) {
        CHECK_EQ(commits_in(machine, tenant(name)).size(), 7);
        check_sound(machine, tenant(name));
    }
    CHECK_EQ(rig.sink.commits.size(), 7 * names.size());
}

TEST_CASE("a tenant whose log cannot be read is refused and opened the next time") {
    Machine machine;
    Rig rig(machine);
    rig.log.closed = true;
    CHECK(rig.ask_for(capture()).fails_with(Code::unavailable));
    rig.log.closed = false;
    CHECK(rig.ask_for(capture()).is_done());
}

}  // namespace bos::commands::test
