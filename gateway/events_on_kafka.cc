#include "gateway/events_on_kafka.h"

#include <algorithm>

namespace bos::gateway {

namespace {

prometheus::Gauge& gauge(Metrics& metrics, const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(metrics.registry()).Add({});
}

}  // namespace

Result<std::unique_ptr<projections::EventsPublisher>> start_events(
    const KafkaCluster& kafka, const eventstore::EventLog& log) {
    projections::EventsOptions options;
    options.brokers = kafka.brokers;
    BOS_TRY(options.properties, client_properties(kafka));
    options.topic_prefix = kafka.prefix + ".events.";
    options.replication_factor = kafka.replication_factor;
    options.min_insync_replicas = std::min(kafka.min_insync_replicas, kafka.replication_factor);
    return projections::EventsPublisher::start(std::move(options), log);
}

void add_events_metrics(Metrics& metrics,
                        const std::shared_ptr<const projections::EventsPublisher>& events) {
    prometheus::Counter& published = prometheus::BuildCounter()
                                         .Name("bos_events_published_total")
                                         .Help("Records of events topics that were acknowledged")
                                         .Register(metrics.registry())
                                         .Add({});
    prometheus::Gauge& behind = gauge(metrics, "bos_events_commits_behind",
                                      "Commits of all tenants in the log, not yet published");
    prometheus::Gauge& tenants =
        gauge(metrics, "bos_events_tenants", "Tenants whose events are published here");
    prometheus::Gauge& paused =
        gauge(metrics, "bos_events_tenants_paused", "Of them, those that wait after a failure");
    metrics.before_text([&, watched = std::weak_ptr(events)] {
        const auto publisher = watched.lock();
        if (!publisher) return;
        const projections::EventsFigures figures = publisher->figures();
        published.Increment(static_cast<double>(figures.published) - published.Value());
        behind.Set(static_cast<double>(figures.commits_behind));
        tenants.Set(static_cast<double>(figures.tenants));
        paused.Set(static_cast<double>(figures.tenants_paused));
    });
}

}  // namespace bos::gateway
