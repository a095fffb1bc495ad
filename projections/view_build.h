#pragma once

#include "eventstore/event_log.h"
#include "projections/runner.h"

#include <memory>
#include <span>
#include <vector>

namespace bos::projections {

/// New generations of some views of a tenant, filled from its log by one or several threads, each
/// for its share of the views. Every commit is decoded once.
///
/// One thread at a time; it starts the others and waits for them.
class ViewBuild {
  public:
    ViewBuild(ViewStore& store, const ViewSet& views, const eventstore::FieldSealer& sealer,
              const TenantId& tenant, const RunnerOptions& options);
    ~ViewBuild();

    /// Begins empty generations. With more threads than views, some have nothing to do and are not
    /// started.
    [[nodiscard]] Result<void> start(std::span<const ViewDescription> views, unsigned threads);
    /// Applies the commits after built() up to `to` and writes them. Errors: of the log; corrupt
    /// when it ends before `to`; of the views. The build is then of no use.
    [[nodiscard]] Result<void> advance(const eventstore::EventLog& log, Position to,
                                       const Progress& progress);

    [[nodiscard]] Position built() const { return built_; }
    [[nodiscard]] std::span<const Generation> generations() const { return generations_; }

  private:
    class Worker;
    using Commits = std::shared_ptr<const std::vector<eventstore::Commit>>;

    [[nodiscard]] Result<void> hand_out(Commits commits);

    // Constant after construction.
    ViewStore& store_;
    const ViewSet& views_;
    const eventstore::FieldSealer& sealer_;
    const TenantId tenant_;
    const RunnerOptions& options_;

    Position built_;
    std::vector<Generation> generations_;
    std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace bos::projections
