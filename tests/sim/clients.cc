#include "tests/sim/clients.h"

#include "schemas/base/codec.h"

#include <fmt/format.h>

#include <utility>

namespace bos::sim {

using commands::Request;
using commands::test::anna;
using commands::test::ben;
using commands::test::caller;

Clients::Clients(Machine& machine, std::vector<TenantId> tenants)
    : machine_(machine), tenants_(std::move(tenants)) {
    for (const TenantId& tenant : tenants_) {
        commands_.emplace(tenant, machine_.draws);
        leads_[tenant];
    }
}

Ledger::Number Clients::next() {
    const auto& asked = machine_.ledger.asked();
    if (!asked.empty() && machine_.draws.one_in(12)) {
        // Also one that is under way, or was answered long ago.
        const Ledger::Number again = machine_.draws.below(asked.size());
        if (!asked[again].request.key_is_fresh) return again;
    }
    Request request = a_request();
    if (!asked.empty() && machine_.draws.one_in(20)) {
        const Request& other = asked[machine_.draws.below(asked.size())].request;
        if (!other.key_is_fresh && other.tenant == request.tenant) request.key = other.key;
        request.key_is_fresh = false;
    }
    return machine_.ledger.ask(std::move(request));
}

Request Clients::a_request() {
    Draws& draws = machine_.draws;
    const TenantId& tenant = tenants_[draws.below(tenants_.size())];
    Request request{.tenant = tenant,
                    .caller = a_caller(),
                    .command = commands_.at(tenant).next(),
                    .key = fmt::format("key-{}", ++last_key_),
                    .expected_version = std::nullopt,
                    .correlation = {},
                    .causation = {}};
    request.key_is_fresh = draws.one_in(6);
    request.dry_run = draws.one_in(12);
    if (draws.one_in(5)) request.expected_version = Version{draws.below(6)};
    // Where nobody is erased: a lead's e-mail digests stay in its view when its key goes.
    if (auto* command = std::get_if<leads::CaptureLead>(&std::get<leads::Command>(request.command));
        command && machine_.plan.erasure_rate == 0 && draws.one_in(2)) {
        command->profile.emails = Pii<std::vector<std::string>>(
            std::vector<std::string>{fmt::format("person{}@example.com", draws.below(5))});
    }
    return request;
}

commands::Caller Clients::a_caller() {
    const std::uint64_t who = machine_.draws.below(12);
    if (who == 0) return caller(ben, Scope::own);
    if (who == 1) return caller(ben, Scope::assigned);
    if (who == 2) return caller(ben, Scope::all, {"leads:lead:read"});
    return caller(anna);
}

void Clients::learn(const TenantId& tenant, const eventstore::Commit& commit) {
    for (const eventstore::RecordedEvent& event : commit.events) {
        if (event.number == leads::LeadCaptured::number) {
            const leads::LeadId lead(event.stream.id);
            commands_.at(tenant).learn(lead);
            leads_.at(tenant).push_back(lead);
        } else if (event.number == leads::ActivityScheduled::number) {
            if (const auto planned = decode<leads::ActivityScheduled>(event.payload))
                commands_.at(tenant).learn(*planned);
        }
    }
}

}  // namespace bos::sim
