#include "tests/commands/behaviour.h"
#include "tests/commands/log_facts.h"
#include "tests/commands/rig.h"

#include <memory>

namespace bos::commands::test {

TEST_CASE("a key sent again while its command is in flight: one effect, both answered") {
    Machine machine;
    Rig rig(machine);
    const Answer first = rig.send(request(capture(), "k"));
    const Answer second = rig.send(request(capture(), "k"));
    CHECK_EQ(rig.appends_waiting(), 1);
    rig.settle();
    CHECK_EQ(first.done().position, Position{1});
    CHECK_EQ(second.done().position, Position{1});
    CHECK_EQ(second.done().target, first.done().target);
    CHECK_EQ(commits_in(machine, acme).size(), 1);
}

TEST_CASE("a key sent again gets the first answer, however much happened since") {
    Machine machine;
    auto rig = std::make_unique<Rig>(machine);
    const Answer first = rig->ask(request(capture(), "k"));
    rig->ask_for(tag(first.lead(), "vip"));
    const auto check_again = [&] {
        const Answer again = rig->ask(request(capture(), "k"));
        CHECK_EQ(again.done().position, first.done().position);
        CHECK_EQ(again.done().version, first.done().version);
        CHECK_EQ(again.done().target, first.done().target);
        CHECK(again.done().created);
        CHECK(again.done().repeated);
    };
    check_again();
    rig.reset();
    rig = std::make_unique<Rig>(machine);
    check_again();
    CHECK_EQ(commits_in(machine, acme).size(), 2);
}

TEST_CASE("who got no answer before a crash learns it with the same key") {
    Machine machine;
    auto rig = std::make_unique<Rig>(machine);
    const Answer durable = rig->send(request(capture(), "durable"));
    const Answer lost = rig->send(request(capture(), "lost"));
    rig->step();
    rig.reset();
    CHECK_FALSE(durable.given());
    CHECK_FALSE(lost.given());

    rig = std::make_unique<Rig>(machine);
    const Answer again = rig->ask(request(capture(), "durable"));
    CHECK_EQ(again.done().position, Position{1});
    CHECK(again.done().repeated);
    const Answer anew = rig->ask(request(capture(), "lost"));
    CHECK_EQ(anew.done().position, Position{2});
    CHECK_FALSE(anew.done().repeated);
}

TEST_CASE(
    "a key with another body, or of another actor, is refused: in flight, later and for ever") {
    Machine machine;
    auto rig = std::make_unique<Rig>(machine);
    Request by_ben = request(capture("Acme"), "k");
    by_ben.caller = caller(ben);
    const auto check_refused = [&] {
        const Answer other_body = rig->send(request(capture("Globex"), "k"));
        const Answer other_command =
            rig->send(request(leads::TagLead{.lead = {}, .tag = "vip"}, "k"));
        const Answer other_actor = rig->send(by_ben);
        rig->settle();
        for (const Answer& answer : {other_body, other_command, other_actor}) {
            CHECK(answer.refusal<KeyReused>() != nullptr);
        }
    };
    const Answer first = rig->send(request(capture("Acme"), "k"));
    check_refused();
    CHECK(first.is_done());
    check_refused();
    rig = std::make_unique<Rig>(machine);
    check_refused();
    CHECK_EQ(commits_in(machine, acme).size(), 1);
}

TEST_CASE("what had nothing to change keeps its key: sent again it still changes nothing") {
    Machine machine;
    auto rig = std::make_unique<Rig>(machine);
    const leads::LeadId lead = rig->ask_for(capture()).lead();
    rig->ask_for(tag(lead, "vip"));
    const Answer first = rig->ask(request(tag(lead, "vip"), "k"));
    CHECK_FALSE(first.done().changed);
    CHECK_EQ(first.done().position, Position{3});
    CHECK_EQ(first.done().version, Version{2});
    rig->ask_for(leads::UntagLead{.lead = lead, .tag = "vip"});
    const auto check_again = [&] {
        const Answer again = rig->ask(request(tag(lead, "vip"), "k"));
        CHECK_FALSE(again.done().changed);
        CHECK(again.done().repeated);
        CHECK_EQ(again.done().target, first.done().target);
        CHECK_EQ(again.done().version, first.done().version);
        CHECK_EQ(again.done().position, first.done().position);
        CHECK(rig->ask(request(tag(lead, "big"), "k")).refusal<KeyReused>() != nullptr);
    };
    check_again();
    rig = std::make_unique<Rig>(machine);
    check_again();
}

TEST_CASE("what had nothing to change and came without a key writes nothing") {
    Machine machine;
    Rig rig(machine);
    const leads::LeadId lead = rig.ask_for(capture()).lead();
    rig.ask_for(tag(lead, "vip"));
    CHECK_EQ(rig.ask_for(tag(lead, "vip")).done().position, Position{2});
    CHECK_EQ(commits_in(machine, acme).size(), 2);
}

TEST_CASE("what was refused takes no key") {
    Machine machine;
    Rig rig(machine);
    const leads::LeadId lead = rig.ask_for(capture()).lead();
    CHECK(rig.ask(request(leads::ResumeLead{.lead = lead}, "k"))
              .is_rejected(leads::Rejection::lead_not_on_hold));
    CHECK(rig.ask(request(tag(lead, "big"), "k")).done().changed);
}

TEST_CASE("a dry run neither takes nor uses a key") {
    Machine machine;
    Rig rig(machine);
    const leads::LeadId lead = rig.ask_for(capture()).lead();
    Request rehearsal = request(tag(lead, "vip"), "k");
    rehearsal.dry_run = true;
    CHECK_EQ(rig.ask(rehearsal).done().foreseen.size(), 1);
    // In flight and afterwards, under another body's key as well.
    const Answer real = rig.send(request(tag(lead, "big"), "k"));
    const Answer during = rig.send(rehearsal);
    rig.settle();
    CHECK(real.done().changed);
    CHECK_EQ(during.done().foreseen.size(), 1);
    CHECK_EQ(during.done().version, Version{2});
    const Answer after = rig.ask(rehearsal);
    CHECK_EQ(after.done().foreseen.size(), 1);
    CHECK_FALSE(after.done().repeated);
    rehearsal.command = leads::Command(tag(lead, "big"));
    CHECK_FALSE(rig.ask(rehearsal).done().changed);
    CHECK_EQ(commits_in(machine, acme).size(), 2);
}

TEST_CASE("keys of one tenant mean nothing in another") {
    Machine machine;
    Rig rig(machine);
    rig.ask(request(capture("Acme"), "k"));
    Request elsewhere = request(capture("Globex"), "k");
    elsewhere.tenant = tenant("globex");
    CHECK_EQ(rig.ask(elsewhere).done().position, Position{1});
    CHECK_NE(commits_in(machine, acme)[0].fingerprint,
             commits_in(machine, tenant("globex"))[0].fingerprint);
}

}  // namespace bos::commands::test
