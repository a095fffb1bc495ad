#pragma once

#include "bench/closed_loop.h"
#include "bench/lead_requests.h"
#include "gateway/node.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

namespace bos::bench {

/// The product without its gateway: a node on a data folder, and commands about one tenant's leads.
class LeadNode {
  public:
    /// The log is in the folder, or on the brokers that are given.
    explicit LeadNode(const std::filesystem::path& data, gateway::KafkaCluster kafka = {},
                      bool keeps_views = true);

    /// Each lane captures a lead, scores and changes it twice in turn, and takes the next one.
    [[nodiscard]] Measured mix(std::size_t lanes, double seconds);

    [[nodiscard]] std::vector<leads::LeadId> capture(std::size_t count);
    using Step = commands::Request (LeadRequests::*)(leads::LeadId, std::uint64_t number);
    /// One command for each lead, with the numbers from `first` on.
    void each(const std::vector<leads::LeadId>& leads, Step step, std::uint64_t first = 1);

    /// Leads with a past: captured, scored, changed and tagged. Five events in four commits each.
    void fill(std::size_t count);

    /// A lead for each of so many other tenants.
    void capture_for_tenants(std::size_t tenants);

    /// What the tenant's log has now.
    struct LogSize {
        std::uint64_t commits = 0;
        std::uint64_t events = 0;
        std::uint64_t bytes = 0;

        [[nodiscard]] std::uint64_t bytes_per_record() const {
            return bytes / std::max<std::uint64_t>(commits, 1);
        }
    };
    [[nodiscard]] LogSize log_size();

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
