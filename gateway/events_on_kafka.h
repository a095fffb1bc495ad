#pragma once

#include "gateway/metrics.h"
#include "gateway/open_log.h"
#include "projections/events_publisher.h"

#include <memory>

namespace bos::gateway {

/// The publisher of <prefix>.events.<tenant>, which begins with no tenant. `log` outlives it.
/// Errors: as EventsPublisher::start; invalid = a property that is none.
[[nodiscard]] Result<std::unique_ptr<projections::EventsPublisher>> start_events(
    const KafkaCluster& kafka, const eventstore::EventLog& log);

/// Figures of the publisher for Prometheus, as long as it is there.
void add_events_metrics(Metrics& metrics,
                        const std::shared_ptr<const projections::EventsPublisher>& events);

}  // namespace bos::gateway
