#include "eventstore/sealed_fields.h"
#include "tests/commands/log_facts.h"
#include "tests/commands/rig.h"

namespace bos::commands::test {

namespace {

using Text = Pii<std::string>;
using Texts = Pii<std::vector<std::string>>;

leads::CaptureLead capture_marie() {
    leads::CaptureLead command = capture();
    command.profile.given_name = Text("Marie");
    command.profile.family_name = Text("Sklodowska");
    command.profile.emails =
        Texts(std::vector<std::string>{"marie@sorbonne.example", "m@curie.example"});
    command.profile.phones = Texts(std::vector<std::string>{"+33123456789"});
    command.profile.description = Text("discovered polonium");
    return command;
}

struct Fixture {
    Machine machine;
    Rig rig{machine};
    leads::LeadId lead = rig.ask_for(capture_marie()).lead();
    StreamId subject{leads::LeadState::aggregate, lead.value()};
};

}  // namespace

TEST_CASE("records hold no plain personal text, whichever command brought it") {
    Fixture f;
    REQUIRE(f.rig.ask_for(rename(f.lead, "Curie-Sklodowska")).done().changed);
    REQUIRE(f.rig
                .ask_for(leads::LogActivity{.lead = f.lead,
                                            .kind = leads::ActivityKind::note,
                                            .subject = Text("radium"),
                                            .body = Text("glows in the dark")})
                .is_done());
    REQUIRE(f.rig
                .ask_for(leads::DisqualifyLead{
                    .lead = f.lead, .lost_reason = "other", .lost_note = Text("went to Stockholm")})
                .is_done());
    const std::string bytes = bytes_of(f.machine, acme);
    CHECK(bytes.contains("Acme"));  // a company is not a person
    for (const char* plain : {"Marie", "Sklodowska", "sorbonne", "curie", "Curie", "33123456789",
                              "polonium", "radium", "glows", "Stockholm"}) {
        INFO(plain);
        CHECK_FALSE(bytes.contains(plain));
    }
    auto captured =
        decode<leads::LeadCaptured>(commits_in(f.machine, acme)[0].events.back().payload);
    REQUIRE(captured.has_value());
    REQUIRE(eventstore::open_fields(*captured, f.machine.sealer, acme, f.subject).has_value());
    CHECK_EQ(*captured->profile.emails->plain(),
             std::vector<std::string>{"marie@sorbonne.example", "m@curie.example"});
}

TEST_CASE("a dry run shows what was sent and nothing is sealed for it") {
    Fixture f;
    const Answer foreseen = f.rig.ask(dry_run(rename(f.lead, "Curie")));
    REQUIRE_EQ(foreseen.done().foreseen.size(), 1);
    CHECK(foreseen.done().foreseen[0].json.contains("Curie"));
}

TEST_CASE("a change to the plain values that stand there changes nothing") {
    Fixture f;
    const leads::CaptureLead same = capture_marie();
    leads::ChangeLead change{.lead = f.lead, .changes = {}};
    change.changes.given_name = Patch<Text>::set(*same.profile.given_name);
    change.changes.emails = Patch<Texts>::set(*same.profile.emails);
    change.changes.phones = Patch<Texts>::set(*same.profile.phones);
    CHECK_FALSE(f.rig.ask_for(change).done().changed);
    CHECK_EQ(f.rig.ask_for(rename(f.lead, "Curie")).done().version, Version{2});
    CHECK_FALSE(f.rig.ask_for(rename(f.lead, "Curie")).done().changed);
    CHECK_EQ(commits_in(f.machine, acme).size(), 2);
}

TEST_CASE("nothing personal can be written about who was erased") {
    Fixture f;
    REQUIRE(f.machine.keys.destroy(acme, f.subject).has_value());
    CHECK(f.rig.ask_for(rename(f.lead, "Curie")).fails_with(Code::not_found));
    CHECK(f.rig
              .ask_for(leads::LogActivity{
                  .lead = f.lead, .kind = leads::ActivityKind::note, .subject = Text("radium")})
              .fails_with(Code::not_found));
    CHECK_EQ(commits_in(f.machine, acme).size(), 1);

    // The refusals changed nothing in memory either, and the rest goes on.
    CHECK_EQ(f.rig.ask_for(tag(f.lead, "vip")).done().version, Version{2});
    leads::ChangeLead company{.lead = f.lead, .changes = {}};
    company.changes.company_name = Patch<std::string>::set("Sorbonne");
    CHECK_EQ(f.rig.ask_for(company).done().version, Version{3});
    check_sound(f.machine, acme);
}

TEST_CASE("fingerprints do not tell equal texts of two tenants apart from different ones") {
    Fixture f;
    Request elsewhere = request(capture_marie());
    elsewhere.tenant = tenant("globex");
    f.rig.ask(elsewhere);
    CHECK_NE(commits_in(f.machine, tenant("globex"))[0].fingerprint,
             commits_in(f.machine, acme)[0].fingerprint);
}

}  // namespace bos::commands::test
