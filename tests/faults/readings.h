#pragma once

#include "projections/runner.h"
#include "projections/view_store.h"
#include "tests/faults/node.h"

#include <map>
#include <string>
#include <utility>

namespace bos::faults {

/// What readers are told while the disk fails. A reading may be refused; what it gives has to be
/// what there is: of log and keys at once, of the views when a replay shows what they had to say.
class Readings {
  public:
    explicit Readings(World& world) : world_(world) {}

    /// Asks for everything that was acknowledged, and for lists of today and of the past.
    void take(Node& node);

    /// Replays the log of a node on a sound disk and compares.
    [[nodiscard]] Result<void> compare(Node& node) const;

    /// How many were answered; the others were refused.
    [[nodiscard]] std::size_t answered() const { return answered_; }

  private:
    using Query = std::pair<std::string, Position>;  ///< what was asked, and as of when

    void look_at_log(const Node& node, const sim::Ledger::Asked& asked);
    void look_at_lead(Node& node, const sim::Ledger::Asked& asked);
    void ask_views(Node& node, std::optional<Position> as_of);

    World& world_;
    std::map<Query, std::string> seen_;
    std::size_t answered_ = 0;
};

}  // namespace bos::faults
