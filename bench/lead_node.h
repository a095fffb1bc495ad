#pragma once

#include "bench/closed_loop.h"
#include "bench/lead_requests.h"
#include "gateway/node.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

namespace bos::bench {

/// The product without its gateway: a node on a data folder, and commands about one tenant's leads.
class LeadNode {
  public:
    explicit LeadNode(const std::filesystem::path& data);

    /// Each lane captures a lead, scores and changes it twice in turn, and takes the next one.
    [[nodiscard]] Measured mix(std::size_t lanes, double seconds);

    [[nodiscard]] std::vector<leads::LeadId> capture(std::size_t count);
    using Step = commands::Request (LeadRequests::*)(leads::LeadId, std::uint64_t number);
    /// One command for each lead.
    void each(const std::vector<leads::LeadId>& leads, Step step);

    [[nodiscard]] gateway::Node& node() { return *node_; }

  private:
    struct Lane {
        std::uint64_t steps = 0;
        leads::LeadId lead;  ///< the target of the lane's last command
    };

    void send(std::size_t lane, commands::Request request);

    SystemClock clock_;
    SystemRandom random_;
    ClosedLoop loop_;
    LeadRequests requests_;
    std::vector<Lane> lanes_;
    std::uint64_t numbers_ = 0;
    std::unique_ptr<gateway::Node> node_;  // last: its threads answer into what stands above
};

}  // namespace bos::bench
