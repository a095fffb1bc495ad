#pragma once

#include "bench/child_process.h"
#include "bench/options.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bos::bench {

/// A database of the running PostgreSQL for Emmett, and how its projection counts.
struct EmmettSetup {
    std::string database;
    bool counters = false;  ///< the number of a stage's leads is a row, as on BOS's board
};

/// Emmett's HTTP server, at a free port.
class EmmettServer {
  public:
    EmmettServer(const Options& options, const EmmettSetup& setup,
                 const std::filesystem::path& errors);

    [[nodiscard]] std::uint16_t port() const { return port_; }

  private:
    ChildProcess process_;
    std::uint16_t port_;
};

/// Builds the pipeline anew, and returns when it is there. No command may be under way.
void rebuild_emmett(const Options& options, const EmmettSetup& setup,
                    const std::filesystem::path& errors);

}  // namespace bos::bench
