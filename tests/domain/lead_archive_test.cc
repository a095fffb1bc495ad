#include "tests/domain/leads_history.h"

#include <set>

namespace bos::test {

using namespace leads;

namespace {

LeadArchived archived() { return {.lead = the_lead, .archived_at = now}; }
LeadRestored restored() { return {.lead = the_lead}; }

const std::string stages[] = {"new",     "nurture",   "contacted",   "qualified",
                              "on_hold", "converted", "disqualified"};

}  // namespace

TEST_CASE("a lead is archived and restored wherever it stands, once") {
    for (const std::string& stage : stages) {
        INFO(stage);
        const History history = a_lead_in(stage);
        given<Leads>(history).when(ArchiveLead{the_lead}).then({archived()});
        given<Leads>(history).when(RestoreLead{the_lead}).nothing();
        given<Leads>(plus(history, archived())).when(ArchiveLead{the_lead}).nothing();
        given<Leads>(plus(history, archived())).when(RestoreLead{the_lead}).then({restored()});
        given<Leads>(plus(history, archived(), restored()))
            .when(ArchiveLead{the_lead})
            .then({archived()});
    }
}

TEST_CASE("what each command answers to an archived lead") {
    const std::set<std::string_view> taken{ArchiveLead::type_name, RestoreLead::type_name};
    for (const std::string& stage : stages) {
        const History history = plus(a_lead_in(stage), scheduled(), archived());
        for_each_type(Commands{}, [&]<class Command>() {
            if constexpr (Command::aggregate == LeadState::aggregate && !Command::creates) {
                if (taken.contains(Command::type_name)) return;
                INFO(Command::type_name, " in ", stage);
                Command command;
                command.lead = the_lead;
                given<Leads>(history).when(command).rejected(Rejection::lead_archived);
            }
        });
        given<Leads>(history)
            .when(CaptureLead{.lead = the_lead})
            .rejected(Rejection::already_exists, "/lead");
    }
}

TEST_CASE("an archived lead takes notes, and no other activity") {
    const History history = plus(a_lead(), archived());
    struct Row {
        ActivityKind kind;
        bool taken;
    };
    const Row rows[] = {{ActivityKind::call, false},
                        {ActivityKind::email, false},
                        {ActivityKind::meeting, false},
                        {ActivityKind::note, true}};
    for (const Row& row : rows) {
        for (const auto direction : {Direction::internal, Direction::outbound}) {
            INFO(name_of(row.kind), " ", name_of(direction));
            const auto decided = given<Leads>(history).when(log(row.kind, direction));
            if (row.taken) {
                CHECK(decided.events().size() == 1);
            } else {
                decided.rejected(Rejection::lead_archived);
            }
        }
    }
}

TEST_CASE("an archived lead is read-only even where there would be nothing to do") {
    const History history = plus(a_lead(), LeadTagged{the_lead, "vip"}, archived());
    given<Leads>(history).when(TagLead{the_lead, "vip"}).rejected(Rejection::lead_archived);
    given<Leads>(history).when(ChangeStage{the_lead, "new", {}}).rejected(Rejection::lead_archived);
}

TEST_CASE("a restored lead is what it was") {
    for (const std::string& stage : stages) {
        INFO(stage);
        LeadsWorld before;
        for (const Event& event : plus(a_lead_in(stage), scheduled(), called()))
            before.apply(event);
        LeadsWorld after = before;
        after.apply(archived());
        CHECK(!(after == before));
        after.apply(restored());
        CHECK(after == before);
    }
}

TEST_CASE("a timer ends no hold of an archived lead, and may try again once it is restored") {
    const History waiting = plus(a_lead(), held("contacted"), archived());
    // Refused, so that the key of this hold stays free: an answer would be remembered for ever.
    given<Leads>(waiting)
        .when(ResumeLead{the_lead, 1}, by_timer())
        .rejected(Rejection::lead_archived);
    given<Leads>(plus(waiting, restored()))
        .when(ResumeLead{the_lead, 1}, by_timer())
        .then({LeadResumed{the_lead, move("on_hold", "contacted"), true}});
}

TEST_CASE("an archived lead in a retired stage comes back in the one that took its place") {
    const History history =
        plus(a_lead_in("contacted"), archived(),
             StageRetired{default_pipeline(), "contacted", "qualified"}, restored());
    given<Leads>(history).when(ChangeStage{the_lead, "new", {}}).then({moved("qualified", "new")});
}

}  // namespace bos::test
