#include "tests/commands/behaviour.h"
#include "tests/commands/log_facts.h"
#include "tests/commands/rig.h"

namespace bos::commands::test {

namespace {

const leads::LeadId missing{uuid(404)};

/// Each command of the module that is about an existing lead.
template <class Function>
void for_each_command_on_a_lead(Function&& function) {
    for_each_type(leads::Commands{}, [&]<class Command>() {
        if constexpr (Command::aggregate == leads::LeadState::aggregate && !Command::creates) {
            function.template operator()<Command>();
        }
    });
}

struct Fixture {
    Machine machine;
    Rig rig{machine};

    leads::LeadId lead_of(UserId owner, std::vector<UserId> collaborators = {}) {
        leads::CaptureLead command = capture();
        command.owner = owner;
        command.collaborators = std::move(collaborators);
        return rig.ask_for(std::move(command)).lead();
    }
    template <class Command>
    Answer ask_as(const Caller& who, Command command,
                  std::optional<Version> expected_version = std::nullopt) {
        Request asked = request(std::move(command));
        asked.caller = who;
        asked.expected_version = expected_version;
        return rig.ask(std::move(asked));
    }
};

}  // namespace

TEST_CASE("every command needs its permission, and says which") {
    Fixture f;
    f.rig.ask_for(capture());
    for_each_type(leads::Commands{}, [&]<class Command>() {
        INFO(Command::wire_name);
        const Answer nothing = f.ask_as(caller(anna, Scope::all, {}), Command{});
        REQUIRE(nothing.refusal<Denied>() != nullptr);
        CHECK_EQ(nothing.refusal<Denied>()->permission, Command::permission);
        const Answer others = f.ask_as(
            caller(anna, Scope::all, {"leads:lead:read", "work:*:*", "leads:lead:override"}),
            Command{});
        CHECK(others.refusal<Denied>() != nullptr);
    });
    CHECK_EQ(commits_in(f.machine, acme).size(), 1);
    for_each_type(leads::Commands{}, [&]<class Command>() {
        INFO(Command::wire_name);
        const Caller allowed = caller(anna, Scope::all, {std::string(Command::permission)});
        CHECK(f.ask_as(allowed, Command{}).template refusal<Denied>() == nullptr);
    });
}

TEST_CASE("who may not see a lead is answered as if there were none, to the letter") {
    Fixture f;
    const leads::LeadId annas = f.lead_of(anna);
    for (const Scope scope : {Scope::own, Scope::assigned}) {
        for_each_command_on_a_lead([&]<class Command>() {
            INFO(Command::wire_name);
            for (const auto version :
                 {std::optional<Version>{}, std::optional(Version{1}), std::optional(Version{9})}) {
                const Answer hidden = f.ask_as(caller(ben, scope), Command{.lead = annas}, version);
                const Answer none = f.ask_as(caller(ben, scope), Command{.lead = missing}, version);
                CHECK(none.is_rejected(leads::Rejection::lead_not_found));
                CHECK_EQ(describe(hidden.outcome()), describe(none.outcome()));
            }
        });
    }
    CHECK_EQ(commits_in(f.machine, acme).size(), 1);
}

TEST_CASE("own means owner, assigned means collaborator too, all means all") {
    Fixture f;
    const leads::LeadId owned = f.lead_of(ben);
    const leads::LeadId helped = f.lead_of(anna, {ben});
    const leads::LeadId foreign = f.lead_of(anna);
    std::int32_t points = 0;
    const auto may = [&](Scope scope, leads::LeadId lead) {
        return f.ask_as(caller(ben, scope), score(lead, ++points)).is_done();
    };
    CHECK(may(Scope::own, owned));
    CHECK_FALSE(may(Scope::own, helped));
    CHECK_FALSE(may(Scope::own, foreign));
    CHECK(may(Scope::assigned, owned));
    CHECK(may(Scope::assigned, helped));
    CHECK_FALSE(may(Scope::assigned, foreign));
    CHECK(may(Scope::all, foreign));

    // At once, also before it is durable.
    const Answer given_away = f.rig.send_for(leads::AssignLead{.lead = owned, .owner = anna});
    CHECK_FALSE(may(Scope::own, owned));
    CHECK(given_away.is_done());
}

TEST_CASE("overriding exit criteria needs its own permission and is recorded") {
    Fixture f;
    const leads::LeadId lead = f.lead_of(anna);
    const leads::ChangeStage skip{.lead = lead, .stage = "qualified", .override_reason = "known"};
    const Answer refused = f.ask_as(caller(anna, Scope::all, {"leads:lead:update"}), skip);
    CHECK(refused.is_rejected(leads::Rejection::override_not_permitted));
    const Answer allowed =
        f.ask_as(caller(anna, Scope::all, {"leads:lead:update", "leads:lead:override"}), skip);
    REQUIRE(allowed.is_done());
    const auto commits = commits_in(f.machine, acme);
    const auto moved = decode<leads::LeadStageChanged>(commits.back().events.front().payload);
    CHECK(moved->overridden);
    CHECK_EQ(moved->override_reason, "known");
}

}  // namespace bos::commands::test
