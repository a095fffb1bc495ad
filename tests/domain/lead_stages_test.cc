#include "tests/domain/leads_history.h"

namespace bos::test {

using namespace leads;

namespace {

/// The default pipeline, but a lead leaves contacted only with a company name and a score of 10.
StageChanged strict_contacted() {
    Stage stage = default_pipeline_defined().stages[2];
    stage.exit = ExitCriteria{
        .required_fields = {"company_name"}, .min_score = 10, .outbound_activity = false};
    return {default_pipeline(), stage};
}

ChangeStage change(std::string stage) { return {the_lead, std::move(stage), {}}; }
ChangeStage override_to(std::string stage) {
    return {the_lead, std::move(stage), "met at the fair"};
}

LeadChanged company_known() {
    LeadProfileChange changes;
    changes.company_name = Patch<std::string>::set("Analytical Engines");
    return {the_lead, changes};
}

}  // namespace

TEST_CASE("what each command does to a lead in each category") {
    struct Row {
        std::string stage;
        std::optional<Rejection> change_stage;  // back to new, or to contacted for the new ones
        std::optional<Rejection> qualify;
        std::optional<Rejection> disqualify;
        std::optional<Rejection> recycle;
        std::optional<Rejection> hold;
        std::optional<Rejection> resume;
    };
    using enum Rejection;
    const std::optional<Rejection> yes;
    const Row rows[] = {
        {"new", exit_criteria_not_met, exit_criteria_not_met, yes, lead_not_disqualified, yes,
         lead_not_on_hold},
        {"contacted", yes, yes, yes, lead_not_disqualified, yes, lead_not_on_hold},
        {"qualified", yes, lead_already_qualified, yes, lead_not_disqualified, yes,
         lead_not_on_hold},
        {"on_hold", lead_on_hold, lead_on_hold, yes, lead_not_disqualified, yes, yes},
        {"converted", yes, lead_won, lead_won, lead_not_disqualified, lead_won, lead_not_on_hold},
        {"disqualified", lead_disqualified, lead_disqualified, lead_disqualified, yes,
         lead_disqualified, lead_not_on_hold},
    };
    for (const Row& row : rows) {
        INFO("stage ", row.stage);
        const auto expect = [&](std::optional<Rejection> rejection, const auto& command,
                                const std::string& pointer) {
            const auto decided = given<Leads>(a_lead_in(row.stage)).when(command);
            INFO(command.type_name);
            if (rejection) {
                decided.rejected(*rejection, pointer);
            } else {
                CHECK(decided.events().size() == 1);
            }
        };
        const ChangeStage moves = change(row.stage == "new" ? "contacted" : "new");
        expect(row.change_stage, moves, row.change_stage == exit_criteria_not_met ? "/stage" : "");
        expect(row.qualify, QualifyLead{the_lead}, "");
        expect(row.disqualify, DisqualifyLead{the_lead, "no_budget", {}, {}}, "");
        expect(row.recycle, RecycleLead{the_lead, {}}, "");
        expect(row.hold, HoldLead{the_lead, now + std::chrono::days{1}}, "");
        expect(row.resume, ResumeLead{the_lead, {}}, "");
    }
}

TEST_CASE("a lead moves to a stage that is known, in use and free to move to") {
    const History history = plus(
        a_lead_in("contacted"),
        StageAdded{
            default_pipeline(), {.key = "demo", .name = "Demo", .category = Category::ongoing}, {}},
        StageRetired{default_pipeline(), "demo", "qualified"});
    given<Leads>(history).when(change("qualified")).then({moved("contacted", "qualified")});
    given<Leads>(history).when(change("new")).then({moved("contacted", "new")});
    given<Leads>(history).when(change("converted")).then({moved("contacted", "converted")});
    given<Leads>(history).when(change("contacted")).nothing();
    given<Leads>(history).when(change("elsewhere")).rejected(Rejection::stage_not_found, "/stage");
    given<Leads>(history).when(change("demo")).rejected(Rejection::stage_retired, "/stage");
    given<Leads>(history).when(change("on_hold")).rejected(Rejection::use_hold, "/stage");
    given<Leads>(history)
        .when(change("disqualified"))
        .rejected(Rejection::lost_reason_required, "/stage");
}

TEST_CASE("staying where it is needs no criteria, whatever the stage") {
    for (const char* stage : {"new", "on_hold", "converted", "disqualified"}) {
        INFO(stage);
        given<Leads>(a_lead_in(stage)).when(change(stage)).nothing();
        given<Leads>(a_lead_in(stage)).when(override_to(stage)).nothing();
    }
}

TEST_CASE("a move forward needs the criteria of the stage and of every stage skipped") {
    const History in_new = plus(a_lead(), strict_contacted());
    const History outbound = plus(in_new, called());
    const History company = plus(outbound, company_known());
    const History scored = plus(company, LeadScored{the_lead, 10, 0, {}});
    given<Leads>(in_new)
        .when(change("contacted"))
        .rejected(Rejection::exit_criteria_not_met, "/stage");
    given<Leads>(outbound).when(change("contacted")).then({moved("new", "contacted")});
    given<Leads>(outbound)
        .when(change("qualified"))
        .rejected(Rejection::exit_criteria_not_met, "/stage");
    given<Leads>(company)
        .when(change("qualified"))
        .rejected(Rejection::exit_criteria_not_met, "/stage");
    given<Leads>(company).when(QualifyLead{the_lead}).rejected(Rejection::exit_criteria_not_met);
    given<Leads>(scored).when(change("qualified")).then({moved("new", "qualified")});
    given<Leads>(scored)
        .when(QualifyLead{the_lead})
        .then({LeadQualified{the_lead, move("new", "qualified")}});
}

TEST_CASE("sealed and erased personal data count as given, an empty text never comes to be") {
    Stage stage = default_pipeline_defined().stages[2];
    stage.exit = ExitCriteria{
        .required_fields = {"given_name"}, .min_score = {}, .outbound_activity = false};
    const auto qualify_with = [&](std::optional<Pii<std::string>> name) {
        LeadCaptured event = captured();
        event.profile.given_name = std::move(name);
        return given<Leads>(plus(a_lead(event), StageChanged{default_pipeline(), stage},
                                 back_then(moved("new", "contacted"))))
            .when(change("qualified"));
    };
    qualify_with(std::nullopt).rejected(Rejection::exit_criteria_not_met, "/stage");
    qualify_with(Pii<std::string>("Ada")).then({moved("contacted", "qualified")});
    qualify_with(Pii<std::string>(Sealed{"bytes"})).then({moved("contacted", "qualified")});
    qualify_with(Pii<std::string>(Erased{})).then({moved("contacted", "qualified")});
}

TEST_CASE("criteria are overridden by those who may, and only that is recorded") {
    LeadStageChanged overridden = moved("new", "contacted");
    overridden.overridden = true;
    overridden.override_reason = "met at the fair";
    given<Leads>(a_lead()).when(override_to("contacted"), with_override()).then({overridden});
    given<Leads>(a_lead())
        .when(override_to("contacted"))
        .rejected(Rejection::override_not_permitted, "/override_reason");
    // The right alone overrides nothing, and a reason where nothing is in the way is not kept.
    given<Leads>(a_lead())
        .when(change("contacted"), with_override())
        .rejected(Rejection::exit_criteria_not_met, "/stage");
    given<Leads>(a_lead_in("contacted"))
        .when(override_to("qualified"), with_override())
        .then({moved("contacted", "qualified")});
}

TEST_CASE("a stay is never negative, even if the clock was set back") {
    Leads module;
    module.facts.now = capture_time - std::chrono::minutes{1};
    const auto decided = given<Leads>(a_lead_in("contacted")).when(change("new"), module);
    CHECK(decided.the<LeadStageChanged>().move.time_in_stage_us == 0);
    CHECK(decided.the<LeadStageChanged>().move.at == module.facts.now);
}

TEST_CASE("a lead in a retired stage moves from the stage that took its place") {
    const History history = plus(
        a_tenant(),
        StageAdded{default_pipeline(),
                   {.key = "inbox", .name = "Inbox", .category = Category::open},
                   "new"},
        LeadNumberTaken{1},
        [] {
            LeadCaptured event = captured();
            event.stage = "inbox";
            return event;
        }(),
        StageRetired{default_pipeline(), "inbox", "nurture"},
        StageRetired{default_pipeline(), "nurture", "new"}, called());
    given<Leads>(history).when(change("new")).nothing();
    given<Leads>(history).when(change("contacted")).then({moved("new", "contacted")});
}

TEST_CASE("a pipeline without a qualified stage qualifies nobody") {
    Stage plain = default_pipeline_defined().stages[3];
    plain.milestone = Milestone::none;
    given<Leads>(plus(a_lead(), StageChanged{default_pipeline(), plain}))
        .when(QualifyLead{the_lead})
        .rejected(Rejection::milestone_missing);
}

TEST_CASE("a lost lead has a reason that can be chosen and stands in a lost stage") {
    const History history = plus(
        a_lead(),
        StageAdded{
            default_pipeline(), {.key = "spam", .name = "Spam", .category = Category::lost}, {}},
        ReasonRetired{"competitor"});
    const auto disqualify = [&](std::string reason, std::optional<std::string> stage) {
        return given<Leads>(history).when(
            DisqualifyLead{the_lead, std::move(reason), {}, std::move(stage)});
    };
    disqualify("no_budget", {})
        .then({LeadDisqualified{the_lead, move("new", "disqualified"), "no_budget", {}}});
    CHECK(disqualify("no_budget", "spam").the<LeadDisqualified>().move.to == "spam");
    disqualify("no_budget", "new").rejected(Rejection::wrong_category, "/stage");
    disqualify("no_budget", "elsewhere").rejected(Rejection::stage_not_found, "/stage");
    disqualify("bad_weather", {}).rejected(Rejection::reason_not_found, "/lost_reason");
    disqualify("competitor", {}).rejected(Rejection::reason_retired, "/lost_reason");
}

TEST_CASE("a recycled lead starts again: score, reasons and outreach are as new") {
    const History lost =
        plus(a_lead(), LeadScored{the_lead, 40, 0, {"demo"}}, called(), disqualified("new"));
    given<Leads>(lost)
        .when(RecycleLead{the_lead, {}})
        .then({LeadRecycled{the_lead, move("disqualified", "new")}});
    given<Leads>(lost)
        .when(RecycleLead{the_lead, "nurture"})
        .then({LeadRecycled{the_lead, move("disqualified", "nurture")}});
    given<Leads>(lost)
        .when(RecycleLead{the_lead, "contacted"})
        .rejected(Rejection::wrong_category, "/stage");

    const History recycled =
        plus(lost, back_then(LeadRecycled{the_lead, move("disqualified", "nurture")}));
    given<Leads>(recycled).when(ScoreLead{the_lead, 0, {}}).nothing();
    given<Leads>(recycled)
        .when(change("contacted"))
        .rejected(Rejection::exit_criteria_not_met, "/stage");
    CHECK(given<Leads>(recycled)
              .when(log(ActivityKind::call, Direction::outbound))
              .the<LeadStageChanged>()
              .automatic);
}

TEST_CASE("a lead waits until a time in the future, or until it is resumed") {
    const Timestamp tomorrow = now + std::chrono::days{1};
    const LeadHeld expected{the_lead, move("new", "on_hold"), tomorrow, 1};
    given<Leads>(a_lead()).when(HoldLead{the_lead, tomorrow}).then({expected});
    given<Leads>(a_lead())
        .when(HoldLead{the_lead, {}})
        .then({LeadHeld{the_lead, move("new", "on_hold"), {}, 1}});
    given<Leads>(a_lead())
        .when(HoldLead{the_lead, now})
        .rejected(Rejection::time_not_in_future, "/held_until");
}

TEST_CASE("holding a held lead again gives it the new date, once") {
    const Timestamp tomorrow = now + std::chrono::days{1};
    const History waiting = a_lead_in("on_hold");
    given<Leads>(waiting).when(HoldLead{the_lead, {}}).nothing();
    given<Leads>(waiting)
        .when(HoldLead{the_lead, tomorrow})
        .then({LeadHoldChanged{the_lead, tomorrow, 2}});
    given<Leads>(waiting)
        .when(HoldLead{the_lead, now})
        .rejected(Rejection::time_not_in_future, "/held_until");
    const History dated = plus(waiting, LeadHoldChanged{the_lead, tomorrow, 2});
    given<Leads>(dated).when(HoldLead{the_lead, tomorrow}).nothing();
    given<Leads>(dated).when(ResumeLead{the_lead, 1}, by_timer()).nothing();
    CHECK(
        given<Leads>(dated).when(ResumeLead{the_lead, 2}, by_timer()).the<LeadResumed>().automatic);
}

TEST_CASE("a resumed lead goes on where it was, or in the stage that took its place") {
    const History from_contacted = plus(a_lead(), held("contacted"));
    const LeadResumed back{the_lead, move("on_hold", "contacted"), false};
    given<Leads>(from_contacted).when(ResumeLead{the_lead, {}}).then({back});
    given<Leads>(plus(from_contacted, StageRetired{default_pipeline(), "contacted", "qualified"}))
        .when(ResumeLead{the_lead, {}})
        .then({LeadResumed{the_lead, move("on_hold", "qualified"), false}});
}

TEST_CASE("a timer ends its own hold and no other") {
    const History waiting = plus(a_lead(), held("new"));
    const LeadResumed back{the_lead, move("on_hold", "new"), true};
    given<Leads>(waiting).when(ResumeLead{the_lead, 1}, by_timer()).then({back});
    given<Leads>(waiting).when(ResumeLead{the_lead, 7}, by_timer()).nothing();
    given<Leads>(a_lead()).when(ResumeLead{the_lead, 1}, by_timer()).nothing();
}

TEST_CASE("the second hold of a lead has its own count") {
    const History resumed = plus(a_lead(), held("new"),
                                 back_then(LeadResumed{the_lead, move("on_hold", "new"), false}));
    CHECK(given<Leads>(resumed).when(HoldLead{the_lead, {}}).the<LeadHeld>().generation == 2);
}

TEST_CASE("a pipeline without a stage on hold holds nobody") {
    const PipelineDefined pipeline{other_pipeline,
                                   "Short",
                                   {{.key = "in", .name = "In", .category = Category::open},
                                    {.key = "out", .name = "Out", .category = Category::lost}}};
    LeadCaptured event = captured();
    event.pipeline = other_pipeline;
    event.stage = "in";
    given<Leads>(plus(History{pipeline}, event))
        .when(HoldLead{the_lead, {}})
        .rejected(Rejection::category_missing);
}

}  // namespace bos::test
