#include "tests/commands/behaviour.h"
#include "tests/commands/log_facts.h"
#include "tests/commands/rig.h"

#include <algorithm>

namespace bos::commands::test {

using Fault = eventstore::test::FaultyLog::Fault;
using Keys = std::vector<std::string>;

namespace {

enum class Durable : std::uint8_t { one_by_one, all_at_once };
enum class Freshness : std::uint8_t { asked, fresh };

struct Row {
    Fault fault;
    std::optional<Code> refused_with;  ///< none: it is done in the end
    const char* name;
};
constexpr Row rows[] = {{Fault::conflict, std::nullopt, "conflict"},
                        {Fault::full, Code::full, "full"},
                        {Fault::unavailable, Code::unavailable, "unavailable"},
                        {Fault::unknown_lost, std::nullopt, "unknown, not written"},
                        {Fault::unknown_written, std::nullopt, "unknown, written"}};

/// Ten commands of which most rest on others of them.
std::vector<Request> ten_commands(leads::LeadId one, leads::LeadId two, Freshness freshness) {
    std::vector<Request> ten{request(tag(one, "a")),
                             request(capture("third")),
                             request(score(one, 10)),
                             request(leads::DisqualifyLead{.lead = two, .lost_reason = "other"}),
                             request(rename(one, "Curie")),
                             request(tag(one, "b")),
                             request(leads::RecycleLead{.lead = two}),
                             request(score(one, 20)),
                             request(capture("fourth")),
                             request(tag(two, "c"))};
    for (Request& each : ten) each.key_is_fresh = freshness == Freshness::fresh;
    return ten;
}

void settle(Rig& rig, Durable how) {
    if (how == Durable::one_by_one) return rig.settle();
    do {
        rig.poll();
        rig.step_all();
        rig.poll();
    } while (rig.appends_waiting() > 0);
}

void check_failure_of(std::size_t k, const Row& row, Durable how, Freshness freshness) {
    Machine machine;
    Rig rig(machine);
    const leads::LeadId one = rig.ask_for(capture("one")).lead();
    const leads::LeadId two = rig.ask_for(capture("two")).lead();
    Keys expected = keys_in(machine, acme);

    rig.faults.fail_append(k, row.fault);
    std::vector<Answer> answers;
    std::vector<Request> commands = ten_commands(one, two, freshness);
    for (const Request& command : commands) answers.push_back(rig.submit(command));
    settle(rig, how);

    for (std::size_t i = 0; i < answers.size(); ++i) {
        INFO("command ", i + 1);
        if (i + 1 == k && row.refused_with) {
            CHECK(answers[i].fails_with(*row.refused_with));
            continue;
        }
        // Recycling needs the disqualification that may have failed.
        if (k == 4 && row.refused_with && i + 1 == 7) {
            CHECK(answers[i].is_rejected(leads::Rejection::lead_not_disqualified));
            continue;
        }
        expected.push_back(commands[i].key);
        CHECK_EQ(answers[i].done().position, Position{expected.size()});
        CHECK_FALSE(answers[i].done().repeated);
    }
    CHECK_EQ(keys_in(machine, acme), expected);
    CHECK_EQ(rig.sink.commits, commits_in(machine, acme));
    check_sound(machine, acme);

    Rig fresh(machine);
    const std::vector<leads::LeadId> all{one, two};
    CHECK_EQ(behaviour(rig, machine, all), behaviour(fresh, machine, all));
}

}  // namespace

TEST_CASE("whichever append fails and however, the log holds what was answered, once, in order") {
    for (const Row& row : rows) {
        for (std::size_t k = 1; k <= 10; ++k) {
            for (const Durable how : {Durable::one_by_one, Durable::all_at_once}) {
                for (const Freshness freshness : {Freshness::asked, Freshness::fresh}) {
                    INFO(row.name, " at ", k, how == Durable::one_by_one ? ", one by one" : "",
                         freshness == Freshness::fresh ? ", fresh keys" : "");
                    check_failure_of(k, row, how, freshness);
                }
            }
        }
    }
}

TEST_CASE("a command whose record may still come is not refused") {
    Machine machine;
    Rig rig(machine);
    const leads::LeadId lead = rig.ask_for(capture()).lead();
    const Request asked = request(score(lead, 1), "once");
    rig.faults.fail_append(1, Fault::unknown_late);
    rig.faults.fail_append(2, Fault::unavailable);
    const Answer unsure = rig.submit(asked);
    rig.poll();
    CHECK(unsure.fails_with(Code::unknown));
    rig.settle();  // the first append comes after all
    CHECK_EQ(commits_in(machine, acme).size(), 2);
    const Done again = rig.ask(asked).done();
    CHECK(again.repeated);
    CHECK_EQ(again.position, Position{2});
    // Whoever has the answer can read what it tells of, and is told nothing older from then on.
    CHECK_EQ(rig.sink.commits, commits_in(machine, acme));
    const Done same = rig.ask_for(score(lead, 1)).done();
    CHECK_FALSE(same.changed);
    CHECK_EQ(same.position, Position{2});
    check_sound(machine, acme);
}

TEST_CASE("a command whose record can no longer come is refused") {
    Machine machine;
    Rig rig(machine);
    Rig other(machine);
    const leads::LeadId lead = rig.ask_for(capture()).lead();
    rig.faults.fail_append(1, Fault::unknown_lost);
    const Answer refused = rig.submit(request(leads::HoldLead{.lead = lead}));
    rig.poll();
    // Somebody else takes its position before it is decided again.
    other.ask_for(leads::DisqualifyLead{.lead = lead, .lost_reason = "other"});
    rig.settle();
    CHECK(refused.is_rejected(leads::Rejection::lead_disqualified));
}

TEST_CASE("two failures at once are two answers") {
    Machine machine;
    Rig rig(machine);
    const leads::LeadId lead = rig.ask_for(capture()).lead();
    rig.faults.fail_append(2, Fault::unknown_written);
    rig.faults.fail_append(4, Fault::full);
    std::vector<Answer> answers;
    for (std::int32_t i = 1; i <= 5; ++i) answers.push_back(rig.send_for(score(lead, i)));
    rig.settle();
    CHECK(answers[3].fails_with(Code::full));
    for (const std::size_t i : {0U, 1U, 2U, 4U}) CHECK(answers[i].is_done());
    CHECK_EQ(rig.sink.commits, commits_in(machine, acme));
    CHECK_EQ(commits_in(machine, acme).size(), 5);
    check_sound(machine, acme);
}

TEST_CASE("commands that come while a failure is not over wait for its end") {
    Machine machine;
    Rig rig(machine);
    const leads::LeadId lead = rig.ask_for(capture()).lead();
    rig.faults.fail_append(1, Fault::full);
    const Answer failed = rig.submit(request(score(lead, 1)));
    const Answer second = rig.submit(request(score(lead, 2)));
    rig.poll();  // decides both and hears of the first; the second is still out
    const Answer third = rig.send_for(score(lead, 3));
    CHECK_EQ(rig.appends_waiting(), 1);  // the third is not decided yet
    CHECK_FALSE(third.given());
    rig.settle();
    CHECK(failed.fails_with(Code::full));
    CHECK_EQ(second.done().version, Version{2});
    CHECK_EQ(third.done().version, Version{3});
}

TEST_CASE("a disk that stays full refuses everything, and recovers") {
    Machine machine;
    Rig rig(machine);
    const leads::LeadId lead = rig.ask_for(capture()).lead();
    for (std::size_t n = 1; n <= 200; ++n) rig.faults.fail_append(n, Fault::full);
    std::vector<Answer> answers;
    for (std::int32_t i = 1; i <= 20; ++i) answers.push_back(rig.send_for(score(lead, i)));
    rig.settle();
    for (const Answer& answer : answers) CHECK(answer.is_error());
    CHECK_EQ(commits_in(machine, acme).size(), 1);
    CHECK_EQ(rig.shard.in_flight(), 0);
    while (!rig.ask_for(score(lead, 99)).is_done()) {
    }
    CHECK_EQ(commits_in(machine, acme).size(), 2);
}

TEST_CASE("while the log cannot be read after a failure nobody is told what nobody knows") {
    Machine machine;
    Rig rig(machine);
    const leads::LeadId lead = rig.ask_for(capture()).lead();
    rig.faults.fail_append(2, Fault::unknown_written);
    const Answer first = rig.send_for(score(lead, 1));
    const Answer second = rig.send(request(score(lead, 2), "second"));
    const Answer third = rig.send(request(score(lead, 3), "third"));
    const Answer rejected = rig.send_for(leads::ResumeLead{.lead = lead});
    rig.log.closed = true;
    rig.settle();
    CHECK(first.is_done());
    CHECK(second.fails_with(Code::unknown));
    CHECK(third.fails_with(Code::unknown));  // written, but that rests on the second
    CHECK(rejected.fails_with(Code::unavailable));
    CHECK(rig.ask_for(score(lead, 4)).fails_with(Code::unavailable));

    rig.log.closed = false;
    CHECK_EQ(rig.ask(request(score(lead, 2), "second")).done().position, Position{3});
    CHECK_EQ(rig.ask(request(score(lead, 3), "third")).done().position, Position{4});
    CHECK_EQ(rig.ask_for(score(lead, 4)).done().version, Version{5});
    CHECK_EQ(rig.sink.commits, commits_in(machine, acme));
    check_sound(machine, acme);
}

}  // namespace bos::commands::test
