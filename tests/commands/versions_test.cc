#include "tests/commands/log_facts.h"
#include "tests/commands/rig.h"

#include <algorithm>

// If-Match: only if nobody changed it since.

namespace bos::commands::test {

namespace {

template <class Command>
Request expecting(Version version, Command command) {
    Request asked = request(std::move(command));
    asked.expected_version = version;
    return asked;
}

}  // namespace

TEST_CASE("a command is done on the version that it expects, and refused on any other") {
    Machine machine;
    Rig rig(machine);
    const leads::LeadId lead = rig.ask_for(capture()).lead();
    CHECK_EQ(rig.ask(expecting(Version{1}, score(lead, 1))).done().version, Version{2});
    for (const std::uint64_t wrong : {0U, 1U, 3U, 99U}) {
        const Answer answer = rig.ask(expecting(Version{wrong}, score(lead, 2)));
        REQUIRE(answer.refusal<VersionConflict>() != nullptr);
        CHECK_EQ(answer.refusal<VersionConflict>()->current, Version{2});
    }
    CHECK_EQ(commits_in(machine, acme).size(), 2);
}

TEST_CASE("a lead that is missing is not found, whatever version is expected of it") {
    Machine machine;
    Rig rig(machine);
    for (const std::uint64_t version : {0U, 1U, 7U}) {
        CHECK(rig.ask(expecting(Version{version}, score(leads::LeadId(uuid(1)), 1)))
                  .is_rejected(leads::Rejection::lead_not_found));
    }
}

TEST_CASE("what is to be created has version 0") {
    Machine machine;
    Rig rig(machine);
    const Answer refused = rig.ask(expecting(Version{1}, capture()));
    REQUIRE(refused.refusal<VersionConflict>() != nullptr);
    CHECK_EQ(refused.refusal<VersionConflict>()->current, Version{0});
    CHECK_EQ(rig.ask(expecting(Version{0}, capture())).done().version, Version{1});
}

TEST_CASE("of 64 writers that expect the same version one wins, and the others learn the new one") {
    Machine machine;
    Rig rig(machine);
    const leads::LeadId lead = rig.ask_for(capture()).lead();
    std::vector<Answer> answers;
    for (std::int32_t i = 1; i <= 64; ++i) {
        answers.push_back(rig.submit(expecting(Version{1}, score(lead, i))));
    }
    rig.settle();
    CHECK_EQ(std::ranges::count_if(answers, &Answer::is_done), 1);
    CHECK(answers.front().is_done());
    for (const Answer& answer : answers) {
        const auto* conflict = answer.refusal<VersionConflict>();
        CHECK((answer.is_done() || (conflict != nullptr && conflict->current == Version{2})));
    }
    CHECK_EQ(commits_in(machine, acme).size(), 2);
}

TEST_CASE("leads that fell out of memory are read again as they were") {
    // More than the shard keeps in memory, half of them not durable when they fall out.
    constexpr std::size_t count = 9'000;
    Machine machine;
    Rig rig(machine, {.commands_in_flight_max = count});
    std::vector<Answer> answers;
    for (std::size_t i = 0; i < count; ++i) {
        answers.push_back(rig.send_for(capture()));
        if (i == count / 2) rig.settle();
    }
    const leads::LeadId first = answers.front().lead();
    const Answer early = rig.send(expecting(Version{1}, tag(first, "vip")));
    rig.settle();
    CHECK_EQ(early.done().version, Version{2});
    CHECK_EQ(rig.ask(expecting(Version{1}, tag(answers.back().lead(), "vip"))).done().version,
             Version{2});
    CHECK_FALSE(rig.ask(expecting(Version{2}, tag(first, "vip"))).done().changed);
    check_sound(machine, acme);
}

}  // namespace bos::commands::test
