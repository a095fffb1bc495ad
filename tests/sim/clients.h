#pragma once

#include "tests/commands/random_commands.h"
#include "tests/sim/machine.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace bos::sim {

/// What clients ask for: few leads, words and keys, so that they meet.
class Clients {
  public:
    Clients(Machine& machine, std::vector<TenantId> tenants);

    /// A new request, or one that was asked before: sent twice, its key used for another command.
    [[nodiscard]] Ledger::Number next();

    /// A lead that was made, or an activity that was planned, can be asked about.
    void learn(const TenantId& tenant, const eventstore::Commit& commit);

    /// Leads of a tenant in the order in which they were made.
    [[nodiscard]] const std::vector<leads::LeadId>& leads_of(const TenantId& tenant) const {
        return leads_.at(tenant);
    }

  private:
    [[nodiscard]] commands::Request a_request();
    [[nodiscard]] commands::Caller a_caller();

    Machine& machine_;
    const std::vector<TenantId> tenants_;
    std::map<TenantId, commands::test::RandomCommands> commands_;
    std::map<TenantId, std::vector<leads::LeadId>> leads_;
    std::uint64_t last_key_ = 0;
};

}  // namespace bos::sim
