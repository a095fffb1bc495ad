#include "domain/leads/limits.h"
#include "tests/domain/leads_history.h"

namespace bos::test {

using namespace leads;

namespace {

Pii<std::string> personal(std::string text) { return Pii<std::string>(std::move(text)); }
Pii<std::vector<std::string>> personal(std::vector<std::string> texts) {
    return Pii<std::vector<std::string>>(std::move(texts));
}

CaptureLead capture() { return {.lead = the_lead, .owner = anna}; }

LeadCaptured captured_now() {
    LeadCaptured event = captured();
    event.captured_at = now;
    return event;
}

std::vector<UserId> many_users(std::size_t count) {
    std::vector<UserId> users;
    for (std::size_t i = 0; i < count; ++i)
        users.emplace_back(uuid(static_cast<std::uint8_t>(100 + i)));
    return users;
}

std::vector<std::string> many_tags(std::size_t count) {
    std::vector<std::string> tags;
    for (std::size_t i = 0; i < count; ++i) tags.push_back("tag" + std::to_string(i));
    return tags;
}

}  // namespace

TEST_CASE("the first lead of a tenant brings the default pipeline and the default reasons") {
    given<Leads>(nothing_yet())
        .when(capture())
        .then(plus(a_tenant(), LeadNumberTaken{1}, captured_now()));
}

TEST_CASE("naming the default pipeline defines it too") {
    CaptureLead command = capture();
    command.pipeline = default_pipeline();
    given<Leads>(nothing_yet())
        .when(command)
        .then(plus(a_tenant(), LeadNumberTaken{1}, captured_now()));
}

TEST_CASE("reasons that a tenant has are not added to") {
    const auto decided = given<Leads>(ReasonDefined{"too_small", "Too small"}).when(capture());
    decided.then({default_pipeline_defined(), LeadNumberTaken{1}, captured_now()});
}

TEST_CASE("a second lead takes the next number and nothing else") {
    CaptureLead command = capture();
    command.lead = LeadId(uuid(9));
    LeadCaptured second_lead = captured_now();
    second_lead.lead = command.lead;
    second_lead.lead_number = 2;
    given<Leads>(a_lead()).when(command).then({LeadNumberTaken{2}, second_lead});
}

TEST_CASE("a lead that is nobody's belongs to its captor, if that one would not see it otherwise") {
    const CaptureLead for_nobody{.lead = the_lead, .owner = {}};
    const CaptureLead for_ben{.lead = the_lead, .owner = ben};
    const auto owner_of = [](const Leads& by, const CaptureLead& command) {
        return given<Leads>(a_tenant()).when(command, by).the<LeadCaptured>().owner;
    };
    CHECK_FALSE(owner_of(Leads{}, for_nobody).has_value());
    CHECK_EQ(owner_of(who_sees_own(), for_nobody), anna);
    CHECK_EQ(owner_of(who_sees_own(), for_ben), ben);
    CHECK_EQ(owner_of(Leads{}, for_ben), ben);
}

TEST_CASE("a lead is captured once") {
    given<Leads>(a_lead()).when(capture()).rejected(Rejection::already_exists, "/lead");
}

TEST_CASE("a pipeline that is not there is not made up") {
    CaptureLead command = capture();
    command.pipeline = other_pipeline;
    given<Leads>(a_tenant()).when(command).rejected(Rejection::pipeline_not_found, "/pipeline");
    given<Leads>(nothing_yet()).when(command).rejected(Rejection::pipeline_not_found, "/pipeline");
}

TEST_CASE("a lead starts in a stage of category open, in use") {
    const History history = plus(
        a_tenant(),
        StageAdded{
            default_pipeline(), {.key = "inbox", .name = "Inbox", .category = Category::open}, {}},
        StageRetired{default_pipeline(), "inbox", "new"});
    struct Row {
        std::string stage;
        std::optional<Rejection> rejection;
    };
    const Row rows[] = {{"new", {}},
                        {"nurture", {}},
                        {"inbox", Rejection::stage_retired},
                        {"contacted", Rejection::wrong_category},
                        {"on_hold", Rejection::wrong_category},
                        {"converted", Rejection::wrong_category},
                        {"disqualified", Rejection::wrong_category},
                        {"elsewhere", Rejection::stage_not_found}};
    for (const Row& row : rows) {
        INFO(row.stage);
        CaptureLead command = capture();
        command.stage = row.stage;
        const auto decided = given<Leads>(history).when(command);
        if (row.rejection) {
            decided.rejected(*row.rejection, "/stage");
        } else {
            CHECK(decided.the<LeadCaptured>().stage == row.stage);
        }
    }
}

TEST_CASE("an unknown stage is refused before the first pipeline is defined") {
    CaptureLead command = capture();
    command.stage = "elsewhere";
    given<Leads>(nothing_yet()).when(command).rejected(Rejection::stage_not_found, "/stage");
}

TEST_CASE("tags and collaborators that are named twice are taken once") {
    CaptureLead command = capture();
    command.tags = {"vip", "fair", "vip"};
    command.collaborators = {ben, ben, clara};
    const auto decided = given<Leads>(a_tenant()).when(command);
    CHECK(decided.the<LeadCaptured>().tags == std::vector<std::string>{"vip", "fair"});
    CHECK(decided.the<LeadCaptured>().collaborators == std::vector<UserId>{ben, clara});
}

TEST_CASE("a lead comes with at most so many tags and collaborators") {
    CaptureLead command = capture();
    command.tags = many_tags(limits::tags + 1);
    given<Leads>(a_tenant()).when(command).rejected(Rejection::too_many, "/tags");
    command.tags.pop_back();
    command.collaborators = many_users(limits::collaborators + 1);
    given<Leads>(a_tenant()).when(command).rejected(Rejection::too_many, "/collaborators");
}

TEST_CASE("an empty list of addresses is recorded as none") {
    CaptureLead command = capture();
    command.profile.emails = personal(std::vector<std::string>{});
    CHECK(given<Leads>(a_tenant()).when(command).the<LeadCaptured>().profile.emails ==
          std::nullopt);
}

TEST_CASE("only what changes is recorded as changed") {
    LeadCaptured before = captured();
    before.profile.given_name = personal("Ada");
    before.profile.company_name = "Analytical Engines";
    before.profile.rating = Rating::hot;
    before.profile.emails = personal(std::vector<std::string>{"ada@engines.example"});
    const History history = a_lead(before);
    ChangeLead command{.lead = the_lead, .changes = {}};

    SUBCASE("nothing named, nothing changed") { given<Leads>(history).when(command).nothing(); }
    SUBCASE("what is so already") {
        command.changes.given_name = Patch<Pii<std::string>>::set(personal("Ada"));
        command.changes.rating = Patch<Rating>::set(Rating::hot);
        command.changes.job_title = Patch<std::string>::clear();
        command.changes.phones =
            Patch<Pii<std::vector<std::string>>>::set(personal(std::vector<std::string>{}));
        command.changes.consents = Patch<std::vector<Consent>>::clear();
        given<Leads>(history).when(command).nothing();
    }
    SUBCASE("one of two") {
        command.changes.given_name = Patch<Pii<std::string>>::set(personal("Augusta"));
        command.changes.rating = Patch<Rating>::set(Rating::hot);
        LeadProfileChange changes;
        changes.given_name = Patch<Pii<std::string>>::set(personal("Augusta"));
        given<Leads>(history).when(command).then({LeadChanged{the_lead, changes}});
    }
    SUBCASE("an empty list empties the field") {
        command.changes.emails =
            Patch<Pii<std::vector<std::string>>>::set(personal(std::vector<std::string>{}));
        LeadProfileChange changes;
        changes.emails = Patch<Pii<std::vector<std::string>>>::clear();
        given<Leads>(history).when(command).then({LeadChanged{the_lead, changes}});
    }
    SUBCASE("null empties the field") {
        command.changes.company_name = Patch<std::string>::clear();
        LeadProfileChange changes;
        changes.company_name = Patch<std::string>::clear();
        given<Leads>(history).when(command).then({LeadChanged{the_lead, changes}});
    }
}

TEST_CASE("a lead is given to a user, taken away, and told apart from nobody's") {
    given<Leads>(a_lead())
        .when(AssignLead{the_lead, ben})
        .then({LeadAssigned{the_lead, ben, anna}});
    given<Leads>(a_lead()).when(AssignLead{the_lead, {}}).then({LeadAssigned{the_lead, {}, anna}});
    given<Leads>(a_lead()).when(AssignLead{the_lead, anna}).nothing();
    given<Leads>(plus(a_lead(), LeadAssigned{the_lead, {}, anna}))
        .when(AssignLead{the_lead, {}})
        .nothing();
}

TEST_CASE("collaborators come and go once") {
    const History with_ben = plus(a_lead(), CollaboratorAdded{the_lead, ben});
    given<Leads>(a_lead())
        .when(AddCollaborator{the_lead, ben})
        .then({CollaboratorAdded{the_lead, ben}});
    given<Leads>(with_ben).when(AddCollaborator{the_lead, ben}).nothing();
    given<Leads>(with_ben)
        .when(RemoveCollaborator{the_lead, ben})
        .then({CollaboratorRemoved{the_lead, ben}});
    given<Leads>(a_lead()).when(RemoveCollaborator{the_lead, ben}).nothing();
}

TEST_CASE("a full lead takes no more collaborators, but those it has are no trouble") {
    LeadCaptured full = captured();
    full.collaborators = many_users(limits::collaborators);
    given<Leads>(a_lead(full))
        .when(AddCollaborator{the_lead, ben})
        .rejected(Rejection::too_many, "/user");
    given<Leads>(a_lead(full))
        .when(AddCollaborator{the_lead, full.collaborators.front()})
        .nothing();
}

TEST_CASE("tags come and go once") {
    const History tagged = plus(a_lead(), LeadTagged{the_lead, "vip"});
    given<Leads>(a_lead()).when(TagLead{the_lead, "vip"}).then({LeadTagged{the_lead, "vip"}});
    given<Leads>(tagged).when(TagLead{the_lead, "vip"}).nothing();
    given<Leads>(tagged).when(UntagLead{the_lead, "vip"}).then({LeadUntagged{the_lead, "vip"}});
    given<Leads>(a_lead()).when(UntagLead{the_lead, "vip"}).nothing();
}

TEST_CASE("a lead has at most so many tags") {
    LeadCaptured full = captured();
    full.tags = many_tags(limits::tags);
    given<Leads>(a_lead(full))
        .when(TagLead{the_lead, "one more"})
        .rejected(Rejection::too_many, "/tag");
    given<Leads>(a_lead(full)).when(TagLead{the_lead, "tag0"}).nothing();
}

TEST_CASE("a score is recorded with what it was before") {
    const History scored = plus(a_lead(), LeadScored{the_lead, 40, 0, {"visited pricing"}});
    given<Leads>(a_lead())
        .when(ScoreLead{the_lead, 40, {"visited pricing"}})
        .then({LeadScored{the_lead, 40, 0, {"visited pricing"}}});
    given<Leads>(scored).when(ScoreLead{the_lead, 40, {"visited pricing"}}).nothing();
    given<Leads>(scored)
        .when(ScoreLead{the_lead, 40, {"asked for a demo"}})
        .then({LeadScored{the_lead, 40, 40, {"asked for a demo"}}});
    given<Leads>(scored).when(ScoreLead{the_lead, -5, {}}).then({LeadScored{the_lead, -5, 40, {}}});
}

TEST_CASE("no command but the capture works on a lead that is not there") {
    const History history = a_tenant();
    for_each_type(Commands{}, [&]<class Command>() {
        if constexpr (Command::aggregate == LeadState::aggregate && !Command::creates) {
            INFO(Command::type_name);
            Command command;
            command.lead = the_lead;
            given<Leads>(history).when(command).rejected(Rejection::lead_not_found);
        }
    });
}

}  // namespace bos::test
