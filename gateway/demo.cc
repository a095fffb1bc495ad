#include "gateway/demo.h"

#include "gateway/credentials.h"
#include "gateway/node.h"
#include "gateway/open_credentials.h"

#include <fmt/format.h>

#include <array>
#include <fcntl.h>
#include <fstream>
#include <future>
#include <unistd.h>
#include <utility>

namespace bos::gateway {

namespace {

using namespace bos::leads;  // NOLINT: this file is about leads

/// The months before today pass while the leads are made.
class PastClock final : public Clock {
  public:
    explicit PastClock(Timestamp start) : now_(start) {}
    Timestamp now() override { return now_; }
    void advance(std::chrono::microseconds time) { now_ += time; }

  private:
    Timestamp now_;
};

/// The same leads on every machine; nobody's secrets depend on it.
class Dice {
  public:
    std::uint32_t below(std::uint32_t bound) {
        state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
        return static_cast<std::uint32_t>((state_ >> 33) % bound);
    }
    bool chance(std::uint32_t percent) { return below(100) < percent; }
    template <class T, std::size_t size>
    const T& of(const std::array<T, size>& items) {
        return items[below(static_cast<std::uint32_t>(size))];
    }

  private:
    std::uint64_t state_ = 20'260'131;
};

constexpr std::array<std::string_view, 24> given_names{
    "Amara",   "Ben",   "Chiara", "Dmitri", "Elif", "Femi",   "Greta",   "Hiro",
    "Ines",    "Jonas", "Katja",  "Liam",   "Mei",  "Nadia",  "Omar",    "Priya",
    "Quentin", "Rosa",  "Sven",   "Tamar",  "Uma",  "Viktor", "Wanjiru", "Zoe"};
constexpr std::array<std::string_view, 20> family_names{
    "Adeyemi", "Bauer", "Costa",  "Dubois", "Eriksen",  "Fischer", "Garcia",
    "Haddad",  "Ito",   "Jansen", "Kaya",   "Lindgren", "Moreau",  "Novak",
    "Okafor",  "Patel", "Rossi",  "Silva",  "Tanaka",   "Weber"};
constexpr std::array<std::string_view, 16> companies{
    "Alder Logistics",  "Birchline Dental", "Cobalt Foods",  "Dovetail Joinery",
    "Estuary Hotels",   "Fernway Travel",   "Granite Legal", "Harbour Breweries",
    "Iris Optics",      "Juniper Schools",  "Kestrel Air",   "Lumen Lighting",
    "Meridian Clinics", "Northgate Gyms",   "Orchard Bikes", "Pebble Games"};
constexpr std::array<std::string_view, 8> titles{
    "Owner", "Head of Operations", "Office Manager",    "CTO",
    "Buyer", "Marketing Lead",     "Managing Director", "IT Administrator"};
constexpr std::array<std::string_view, 6> sources{"web",       "referral",   "trade fair",
                                                  "cold call", "newsletter", "partner"};
constexpr std::array<std::string_view, 6> tags{"vip",   "renewal", "price-sensitive",
                                               "pilot", "urgent",  "multi-site"};
constexpr std::array<std::string_view, 5> call_subjects{
    "First call about needs", "Question about the offer", "Budget and timing",
    "Demo of the product", "Follow-up after the demo"};
constexpr std::array<std::string_view, 4> reasons{"no_budget", "no_response", "competitor",
                                                  "not_a_fit"};

Pii<std::vector<std::string>> one(std::string text) {
    return Pii<std::vector<std::string>>(std::vector{std::move(text)});
}

std::chrono::microseconds hours(std::uint32_t count) { return std::chrono::hours(count); }

class Storyteller {
  public:
    Storyteller(Node& node, PastClock& clock, SystemRandom& random, TenantId tenant,
                std::array<UserId, 3> users)
        : node_(node), clock_(clock), random_(random), tenant_(std::move(tenant)), users_(users) {}

    Result<void> tell() {
        constexpr std::uint32_t leads = 120;
        for (std::uint32_t i = 0; i < leads; ++i) {
            clock_.advance(hours(90 * 24 / leads) - std::chrono::minutes(dice_.below(90)));
            BOS_CHECK(one_lead());
        }
        return {};
    }

  private:
    Result<void> one_lead() {
        owner_ = dice_.of(users_);
        BOS_TRY(const LeadId lead, capture());
        if (!dice_.chance(82)) return {};
        BOS_CHECK(log_activity(lead));
        if (dice_.chance(60)) {
            BOS_CHECK(send(ScoreLead{.lead = lead,
                                     .score = static_cast<std::int32_t>(20 + dice_.below(75)),
                                     .score_reasons = {"fits the profile"}}));
        }
        if (dice_.chance(18)) return lose(lead);
        if (!dice_.chance(65)) return plan(lead);
        BOS_CHECK(log_activity(lead));
        BOS_CHECK(send(QualifyLead{.lead = lead}));
        if (dice_.chance(35)) return win(lead);
        if (dice_.chance(20)) return lose(lead);
        if (dice_.chance(25)) {
            HoldLead hold{.lead = lead, .held_until = {}};
            hold.held_until = clock_.now() + hours(24 * (100 + dice_.below(60)));
            return send(hold);
        }
        return {};
    }

    Result<LeadId> capture() {
        CaptureLead command;
        const std::string given(dice_.of(given_names));
        const std::string family(dice_.of(family_names));
        const std::string company(dice_.of(companies));
        LeadProfile& profile = command.profile;
        profile.given_name = Pii<std::string>(given);
        profile.family_name = Pii<std::string>(family);
        profile.company_name = company;
        profile.job_title = std::string(dice_.of(titles));
        profile.emails = one(
            fmt::format("{}.{}@{}.example", given, family, company.substr(0, company.find(' '))));
        if (dice_.chance(70)) {
            profile.phones = one(fmt::format("+4930{}", 1'000'000 + dice_.below(8'999'999)));
        }
        profile.source = std::string(dice_.of(sources));
        if (dice_.chance(85)) {
            profile.expected_value =
                Money{.minor = std::int64_t{100} * (500 + dice_.below(60) * 250),
                      .currency = *parse_currency(dice_.chance(80) ? "EUR" : "USD")};
        }
        if (dice_.chance(50)) profile.rating = static_cast<Rating>(dice_.below(3));
        profile.consents = {{.purpose = "sales contact",
                             .basis = ConsentBasis::legitimate_interest,
                             .at = clock_.now()}};
        if (dice_.chance(40)) command.tags = {std::string(dice_.of(tags))};
        if (dice_.chance(90)) command.owner = owner_;
        BOS_TRY(const commands::Done done, run(command));
        return LeadId(done.target.id);
    }

    Result<void> log_activity(LeadId lead) {
        clock_.advance(std::chrono::minutes(1 + dice_.below(30)));
        LogActivity activity{.lead = lead,
                             .kind = dice_.chance(60) ? ActivityKind::call : ActivityKind::email,
                             .direction = leads::Direction::outbound,
                             .subject = {},
                             .body = {},
                             .occurred_at = {},
                             .duration_minutes = {}};
        activity.subject = Pii<std::string>(std::string(dice_.of(call_subjects)));
        if (activity.kind == ActivityKind::call) activity.duration_minutes = 5 + dice_.below(40);
        return send(activity);
    }

    /// Some of it is overdue by now.
    Result<void> plan(LeadId lead) {
        ScheduleActivity next{.lead = lead,
                              .kind = dice_.chance(50) ? ActivityKind::call : ActivityKind::meeting,
                              .subject = {},
                              .body = {},
                              .due_at = clock_.now() + hours(24 * (30 + dice_.below(90))),
                              .assignee = {}};
        next.subject = Pii<std::string>(std::string(dice_.of(call_subjects)));
        return send(next);
    }

    Result<void> win(LeadId lead) {
        clock_.advance(std::chrono::minutes(30));
        return send(ChangeStage{.lead = lead, .stage = "converted", .override_reason = "signed"});
    }

    Result<void> lose(LeadId lead) {
        clock_.advance(std::chrono::minutes(10));
        return send(DisqualifyLead{.lead = lead,
                                   .lost_reason = std::string(dice_.of(reasons)),
                                   .lost_note = {},
                                   .stage = {}});
    }

    template <class Command>
    Result<void> send(Command command) {
        BOS_CHECK(run(std::move(command)));
        return {};
    }

    template <class C>
    Result<commands::Done> run(C command) {
        commands::Request request{
            .tenant = tenant_,
            .caller = {.actor = {.kind = ActorKind::user, .id = owner_},
                       .on_behalf_of = {},
                       .grants = {.permissions = {"*:*:*"}, .scope = Scope::all}},
            .command = Command(std::move(command)),
            .key = to_string(new_uuid(clock_.now(), random_)),
            .key_is_fresh = true,
            .expected_version = {},
            .correlation = new_uuid(clock_.now(), random_),
            .causation = {}};
        std::promise<commands::Outcome> promise;
        auto answer = promise.get_future();
        node_.shard_of(tenant_).submit(std::move(request), [&promise](commands::Outcome outcome) {
            promise.set_value(std::move(outcome));
        });
        commands::Outcome outcome = answer.get();
        if (outcome) return *std::move(outcome);
        std::string why = "refused";
        if (const auto* rejected = std::get_if<Rejected>(&outcome.error()))
            why = std::string(rejected->info.code) + ": " + rejected->detail;
        if (const auto* error = std::get_if<Error>(&outcome.error())) why = error->detail;
        return fail(Code::invalid, fmt::format("the demo's {} was {}", C::wire_name, why));
    }

    Node& node_;
    PastClock& clock_;
    SystemRandom& random_;
    const TenantId tenant_;
    const std::array<UserId, 3> users_;
    UserId owner_;
    Dice dice_;
};

Result<void> write_keys(const std::filesystem::path& path, const Demo& demo) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const std::string text = demo.admin_key + "\n" + demo.agent_key + "\n";
    const bool written =
        file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(file) == 0;
    if (file >= 0) ::close(file);
    if (!written) return fail(Code::unavailable, fmt::format("cannot write {}", path.string()));
    return {};
}

/// A tenant that has a log already (of another node's demo, on the same cluster) keeps it.
Result<void> fill(NodeOptions options, const TenantId& tenant, const std::array<UserId, 3>& users) {
    SystemRandom random;
    PastClock clock(SystemClock().now() - std::chrono::hours(90 * 24));
    options.shards = 1;
    BOS_TRY(auto node, Node::open(options, clock, random));
    BOS_TRY(const eventstore::Head head, node->log().head(tenant));
    if (head.position.value > 0) return {};
    BOS_CHECK(node->open_tenant(tenant));
    node->start();
    Storyteller story(*node, clock, random, tenant, users);
    const Result<void> told = story.tell();
    node->stop(std::chrono::seconds(10));
    return told;
}

}  // namespace

Result<Demo> open_demo(const NodeOptions& options) {
    const std::filesystem::path& data = options.data;
    Demo demo;
    const std::filesystem::path keys = data / "demo-keys";
    if (std::ifstream in(keys); in) {
        std::getline(in, demo.admin_key);
        std::getline(in, demo.agent_key);
        return demo;
    }
    std::error_code error;
    std::filesystem::create_directories(data, error);
    SystemClock clock;
    SystemRandom random;
    const TenantId tenant = *TenantId::parse(demo.tenant);
    std::array<UserId, 3> users;
    for (UserId& user : users) user = UserId(new_uuid(clock.now(), random));
    BOS_CHECK(fill(options, tenant, users));
    BOS_TRY(const std::unique_ptr<CredentialBook> book, open_credential_book(data, options.kafka));
    BOS_TRY(demo.admin_key, create_api_key(*book, {tenant, users[0], "Demo Admin", "admin", {}},
                                           clock.now(), random));
    BOS_TRY(demo.agent_key, create_api_key(*book, {tenant, users[1], "Demo Agent", "agent", {}},
                                           clock.now(), random));
    BOS_CHECK(write_keys(keys, demo));
    return demo;
}

}  // namespace bos::gateway
