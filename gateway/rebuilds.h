#pragma once

#include "gateway/node.h"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace bos::gateway {

/// Rebuilds of tenants' views beside the reads and writes that go on: one thread, one rebuild at a
/// time, so that rebuilding never takes more than one core from those who work.
///
/// Thread-safe.
class Rebuilds {
  public:
    struct State {
        Position done;
        Position all;
        bool running = false;
        std::optional<Error> failure;  ///< of the last rebuild
    };

    explicit Rebuilds(Node& node) : node_(node) {}
    /// Waits for the one that runs: a rebuild cannot be cut in the middle.
    ~Rebuilds();

    /// False when one runs already, of this tenant or another.
    [[nodiscard]] bool start(const TenantId& tenant);
    /// Of the tenant's last rebuild; none when there was none since the process began.
    [[nodiscard]] std::optional<State> state(const TenantId& tenant) const;

  private:
    void run(const TenantId& tenant);

    Node& node_;

    mutable std::mutex mutex_;  ///< guards what follows
    std::map<TenantId, State> states_;
    bool running_ = false;
    std::thread thread_;
};

}  // namespace bos::gateway
