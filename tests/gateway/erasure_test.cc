// A person whose key is destroyed is erased everywhere at once, and nothing else changes.
#include "gateway/node.h"
#include "projections/leads/queries.h"
#include "schemas/base/json_write.h"
#include "tests/eventstore/temp_folder.h"

#include <doctest/doctest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>

namespace bos::gateway {

namespace {

using leads::Lead;
using leads::LeadId;

const TenantId acme = TenantId::parse("acme").value();

template <class T>
Pii<T> personal(T value) {
    return Pii<T>(std::move(value));
}

/// A node that is asked without HTTP in between.
class Office {
  public:
    Office()
        : node_(Node::open({.data = folder_ / "data", .shards = 1, .limits = {}}, clock_, random_)
                    .value()) {
        REQUIRE(node_->open_tenant(acme).has_value());
        node_->start();
    }
    ~Office() { node_->stop(std::chrono::seconds(10)); }

    template <class Command>
    commands::Done run(Command command) {
        commands::Request request{
            .tenant = acme,
            .caller = {.actor = {.kind = ActorKind::user, .id = UserId(id_)},
                       .on_behalf_of = {},
                       .grants = {.permissions = {"*:*:*"}, .scope = Scope::all}},
            .command = leads::Command(std::move(command)),
            .key = to_string(new_uuid(clock_.now(), random_)),
            .key_is_fresh = true,
            .expected_version = {},
            .correlation = id_,
            .causation = {}};
        std::promise<commands::Outcome> answered;
        node_->shard_of(acme).submit(std::move(request), [&](commands::Outcome outcome) {
            answered.set_value(std::move(outcome));
        });
        return answered.get_future().get().value();
    }

    template <class Query>
    std::string ask(const Query& query, std::optional<Position> as_of = {}) {
        const auto reader =
            (as_of ? node_->views().read_as_of(acme, *as_of) : node_->views().read(acme)).value();
        const std::string secret = node_->keys().tenant_secret(acme).value();
        const auto answered =
            projections::answer(query, {.reader = reader,
                                        .as_of = as_of,
                                        .viewer = {.user = UserId(id_), .scope = Scope::all},
                                        .sealer = node_->sealer(),
                                        .log = node_->log(),
                                        .secret = secret,
                                        .now = clock_.now()});
        return to_json(answered.value(), ShowPii::plain);
    }

    Node& node() { return *node_; }
    std::filesystem::path data() { return folder_ / "data"; }

  private:
    eventstore::test::TempFolder folder_;
    SystemClock clock_;
    SystemRandom random_;
    Uuid id_ = new_uuid(clock_.now(), random_);
    std::unique_ptr<Node> node_;
};

LeadId capture(Office& office, const std::string& name, const std::string& email) {
    leads::CaptureLead command;
    command.profile.given_name = personal(name);
    command.profile.emails = personal(std::vector{email});
    command.profile.company_name = "Sorbonne";
    return LeadId(office.run(command).target.id);
}

}  // namespace

TEST_CASE("who is erased reads as erased in every answer, now and in the past") {
    Office office;
    const LeadId marie = capture(office, "Marie", "marie@sorbonne.example");
    const LeadId pierre = capture(office, "Pierre", "pierre@sorbonne.example");
    office.run(leads::ScheduleActivity{.lead = marie,
                                       .kind = leads::ActivityKind::call,
                                       .subject = personal(std::string("Ask Marie")),
                                       .body = {},
                                       .due_at = from_micros(0),
                                       .assignee = {}});
    office.run(leads::LogActivity{.lead = marie,
                                  .kind = leads::ActivityKind::note,
                                  .subject = personal(std::string("Marie found radium")),
                                  .body = {}});
    const auto hash = [&] { return office.node().runner().hash(acme).value(); };
    const auto chain = [&] { return verify_chain(office.node().log(), acme).value().head; };
    const auto hash_before = hash();
    const eventstore::Head chain_before = chain();

    const auto everything = [&](std::optional<Position> as_of) {
        leads::ListLeads named;
        named.filter = R"(given_name eq "Marie")";
        leads::ListLeads addressed;
        addressed.email = "marie@sorbonne.example";
        return std::array{office.ask(leads::GetLead{.lead = marie}, as_of),
                          office.ask(leads::GetTimeline{.lead = marie}, as_of),
                          office.ask(leads::ListLeads{}, as_of),
                          office.ask(named, as_of),
                          office.ask(addressed, as_of),
                          office.ask(leads::GetBoard{}, as_of),
                          office.ask(leads::GetColumn{.stage = "new"}, as_of),
                          office.ask(leads::ListActivities{}, as_of)};
    };
    for (const auto as_of : {std::optional<Position>{}, std::optional(Position{3})}) {
        for (const std::string& told : everything(as_of))
            CHECK_MESSAGE(told.contains("Marie"), told);
    }

    const StreamId subject{static_cast<std::uint16_t>(leads::Aggregate::lead), marie.value()};
    const std::uint64_t erasures_before = office.node().keys().erasures();
    REQUIRE(office.node().keys().destroy(acme, subject).has_value());
    CHECK(office.node().keys().erasures() != erasures_before);

    for (const auto as_of : {std::optional<Position>{}, std::optional(Position{3})}) {
        const auto told = everything(as_of);
        for (const std::string& text : told) {
            CHECK_MESSAGE(!text.contains("Marie"), text);
            CHECK_MESSAGE(!text.contains("marie@"), text);
        }
        CHECK(told[0].contains(R"("given_name":{"erased":true})"));
        CHECK(told[0].contains("Sorbonne"));
        CHECK(told[1].contains(R"({"erased":true})"));
        CHECK(told[2].contains("Pierre"));
        CHECK(told[3].contains(R"("items":[])"));
        CHECK(told[4].contains(R"("items":[])"));
        CHECK(told[5].contains("Pierre"));
        CHECK(told[7].contains(R"("subject":{"erased":true})"));
    }
    CHECK(office.ask(leads::GetLead{.lead = pierre}).contains("pierre@sorbonne.example"));

    // The chain and the views know nothing of it. Views that are built anew differ in one thing:
    // the digest of an address that nobody can open any more is gone.
    CHECK_EQ(chain(), chain_before);
    CHECK_EQ(hash(), hash_before);
    const auto told = everything({});
    REQUIRE(office.node().runner().rebuild(acme, office.node().log()).has_value());
    CHECK(everything({}) == told);
    for (const projections::ViewHash& before : hash_before) {
        const auto after = hash();
        const auto same = std::ranges::find(after, before.view, &projections::ViewHash::view);
        CHECK_EQ(*same == before, before.view != "leads.leads");
    }

    // The rest of the record goes on.
    CHECK(office.run(leads::TagLead{.lead = marie, .tag = "vip"}).changed);
}

}  // namespace bos::gateway
