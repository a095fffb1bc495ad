#pragma once

#include "projections/runner.h"
#include "projections/view_store.h"
#include "tests/sim/machine.h"

#include <map>
#include <span>
#include <string>
#include <utility>

namespace bos::sim {

/// What readers saw of the past: whoever looks at a position again sees the same, and what they saw
/// is what a replay of the log up to there gives.
class Past {
  public:
    explicit Past(Machine& machine) : machine_(machine) {}

    /// Reads all views of a tenant as of some position that they have reached.
    void look(const TenantId& tenant, projections::ViewStore& views,
              const projections::ViewSet& set);

    /// Replays the tenants' logs in a store of its own and compares: everything that was seen, and
    /// the views as they are.
    [[nodiscard]] Result<void> replay(std::span<const TenantId> tenants,
                                      const eventstore::EventLog& log,
                                      const projections::Runner& live) const;

  private:
    [[nodiscard]] Result<void> replay_one(const TenantId& tenant, const eventstore::EventLog& log,
                                          const projections::Runner& live,
                                          projections::ViewStore& views,
                                          projections::Runner& runner) const;

    Machine& machine_;
    std::map<std::pair<TenantId, Position>, Hash> seen_;
};

}  // namespace bos::sim
