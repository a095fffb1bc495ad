#pragma once

#include "commands/command.h"
#include "tests/eventstore/records.h"

#include <fmt/format.h>

#include <atomic>
#include <string>
#include <utility>

// The cast, and what it asks for.

namespace bos::commands::test {

using eventstore::test::tenant;
using eventstore::test::uuid;

inline const TenantId acme = tenant("acme");
inline const UserId anna{uuid(1001)};
inline const UserId ben{uuid(1002)};

[[nodiscard]] inline Caller caller(UserId user, Scope scope = Scope::all,
                                   std::vector<std::string> permissions = {"*:*:*"}) {
    return {.actor = {.kind = ActorKind::user, .id = user},
            .on_behalf_of = std::nullopt,
            .grants = {.permissions = std::move(permissions), .scope = scope}};
}

/// A key that no other request of this process has.
[[nodiscard]] inline std::string new_key() {
    static std::atomic<int> last = 0;
    return fmt::format("key-{}", ++last);
}

/// A request of Anna, who may do everything; tests change what they are about.
template <class Command>
[[nodiscard]] Request request(Command command, std::string key) {
    return {.tenant = acme,
            .caller = caller(anna),
            .command = leads::Command(std::move(command)),
            .key = std::move(key),
            .expected_version = std::nullopt,
            .correlation = {},
            .causation = {}};
}

/// From a client that gave no key.
template <class Command>
[[nodiscard]] Request request(Command command) {
    Request asked = request(std::move(command), new_key());
    asked.key_is_fresh = true;
    return asked;
}

template <class Command>
[[nodiscard]] Request dry_run(Command command) {
    Request asked = request(std::move(command));
    asked.dry_run = true;
    return asked;
}

[[nodiscard]] inline leads::CaptureLead capture(const std::string& company = "Acme") {
    leads::CaptureLead command;
    command.profile.company_name = company;
    return command;
}
[[nodiscard]] inline leads::TagLead tag(leads::LeadId lead, std::string tag) {
    return {.lead = lead, .tag = std::move(tag)};
}
[[nodiscard]] inline leads::ScoreLead score(leads::LeadId lead, std::int32_t score) {
    return {.lead = lead, .score = score, .score_reasons = {}};
}
[[nodiscard]] inline leads::ChangeLead rename(leads::LeadId lead, std::string family_name) {
    leads::ChangeLead command{.lead = lead, .changes = {}};
    command.changes.family_name = Patch<Pii<std::string>>::set(Pii(std::move(family_name)));
    return command;
}

}  // namespace bos::commands::test
