#pragma once

#include "commands/command.h"
#include "domain/leads/leads.h"
#include "schemas/base/random.h"

#include <cstdint>

namespace bos::bench {

[[nodiscard]] TenantId bench_tenant();

/// Commands about leads as an administrator sends them, each with a fresh key.
class LeadRequests {
  public:
    [[nodiscard]] commands::Request capture(std::uint64_t number);
    // The same number twice in a row for one lead would change nothing.
    [[nodiscard]] commands::Request score(leads::LeadId lead, std::uint64_t number);
    [[nodiscard]] commands::Request change(leads::LeadId lead, std::uint64_t number);
    [[nodiscard]] commands::Request tag(leads::LeadId lead, std::uint64_t number);
    /// Spreads new leads over four more stages.
    [[nodiscard]] commands::Request move(leads::LeadId lead, std::uint64_t number);

  private:
    [[nodiscard]] commands::Request request(leads::Command command);

    SystemClock clock_;
    SystemRandom random_;
    const UserId user_{new_uuid(clock_.now(), random_)};
};

}  // namespace bos::bench
