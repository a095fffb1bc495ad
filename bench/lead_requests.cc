#include "bench/lead_requests.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

namespace bos::bench {

using namespace bos::leads;  // NOLINT: this file is about leads

TenantId bench_tenant() { return *TenantId::parse("bench"); }

commands::Request LeadRequests::request(Command command) {
    const Timestamp now = clock_.now();
    return {.tenant = bench_tenant(),
            .caller = {.actor = {.kind = ActorKind::user, .id = user_},
                       .on_behalf_of = {},
                       .grants = {.permissions = {"*:*:*"}, .scope = Scope::all}},
            .command = std::move(command),
            .key = to_string(new_uuid(now, random_)),
            .key_is_fresh = true,
            .expected_version = {},
            .correlation = new_uuid(now, random_),
            .causation = {}};
}

commands::Request LeadRequests::capture(std::uint64_t number) {
    CaptureLead command;
    LeadProfile& profile = command.profile;
    profile.given_name = Pii<std::string>("Amara");
    profile.family_name = Pii<std::string>(fmt::format("Lindgren {}", number));
    profile.company_name = "Meridian Clinics";
    profile.job_title = "Head of Operations";
    profile.emails = Pii<std::vector<std::string>>(
        std::vector{fmt::format("amara.{}@meridian.example", number)});
    profile.source = "trade fair";
    profile.expected_value = Money{.minor = 100 * static_cast<std::int64_t>(500 + number % 5000),
                                   .currency = *parse_currency("EUR")};
    command.tags = {"pilot"};
    command.owner = user_;
    return request(std::move(command));
}

commands::Request LeadRequests::score(LeadId lead, std::uint64_t number) {
    return request(ScoreLead{.lead = lead,
                             .score = static_cast<std::int32_t>(number % 1000),
                             .score_reasons = {"fits the profile"}});
}

commands::Request LeadRequests::change(LeadId lead, std::uint64_t number) {
    ChangeLead command;
    command.lead = lead;
    command.changes.job_title = Patch<std::string>::set(fmt::format("Buyer {}", number));
    return request(std::move(command));
}

commands::Request LeadRequests::tag(LeadId lead, std::uint64_t number) {
    return request(TagLead{.lead = lead, .tag = fmt::format("batch-{}", number % 20)});
}

commands::Request LeadRequests::move(LeadId lead, std::uint64_t number) {
    if (number % 4 == 3) {
        return request(
            DisqualifyLead{.lead = lead, .lost_reason = "no_budget", .lost_note = {}, .stage = {}});
    }
    static constexpr std::string_view stages[] = {"contacted", "qualified", "converted"};
    return request(ChangeStage{.lead = lead,
                               .stage = std::string(stages[number % 4]),
                               .override_reason = "known customer"});
}

}  // namespace bos::bench
