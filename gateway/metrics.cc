#include "gateway/metrics.h"

#include <fmt/format.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <utility>

namespace bos::gateway {

namespace {

/// Seconds. From a cached read to what a client gives up on.
const prometheus::Histogram::BucketBoundaries duration_buckets{
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};

std::string_view known_method(std::string_view method) {
    static constexpr std::array known{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    return std::ranges::find(known, method) == known.end() ? "other" : method;
}

}  // namespace

Metrics::Metrics()
    : registry_(std::make_shared<prometheus::Registry>()),
      requests_(prometheus::BuildCounter()
                    .Name("bos_http_requests_total")
                    .Help("Requests that a handler answered")
                    .Register(*registry_)),
      durations_(prometheus::BuildHistogram()
                     .Name("bos_http_request_duration_seconds")
                     .Help("From the complete request to its answer, without sending it")
                     .Register(*registry_)),
      refusals_(prometheus::BuildCounter()
                    .Name("bos_http_refused_total")
                    .Help("Requests and connections refused before a handler, by problem code")
                    .Register(*registry_)),
      in_flight_(prometheus::BuildGauge()
                     .Name("bos_http_requests_in_flight")
                     .Help("Requests that a handler works on")
                     .Register(*registry_)
                     .Add({})),
      connections_(prometheus::BuildGauge()
                       .Name("bos_http_connections")
                       .Help("Open connections")
                       .Register(*registry_)
                       .Add({})),
      bytes_received_(prometheus::BuildCounter()
                          .Name("bos_http_received_bytes_total")
                          .Help("Bytes received, without TLS")
                          .Register(*registry_)
                          .Add({})),
      bytes_sent_(prometheus::BuildCounter()
                      .Name("bos_http_sent_bytes_total")
                      .Help("Bytes of answers sent, without TLS")
                      .Register(*registry_)
                      .Add({})),
      given_again_(prometheus::BuildCounter()
                       .Name("bos_answers_given_again_total")
                       .Help("Answers to queries that were kept since the tenant last changed")
                       .Register(*registry_)
                       .Add({})) {}

void Metrics::before_text(std::function<void()> take_figures) {
    const std::lock_guard lock(text_mutex_);
    before_text_.push_back(std::move(take_figures));
}

std::string Metrics::text() const {
    {
        const std::lock_guard lock(text_mutex_);
        for (Sum* sum : {&bytes_received_, &bytes_sent_, &given_again_}) sum->give();
        // In this order: what has finished has been started.
        const std::uint64_t finished = finished_.total();
        in_flight_.Set(static_cast<double>(started_.total() - finished));
        for (const auto& take_figures : before_text_) take_figures();
    }
    return prometheus::TextSerializer().Serialize(registry_->Collect());
}

void Metrics::Sum::give() {
    const auto given = static_cast<double>(tally.total());
    series.Increment(given - series.Value());
}

void Metrics::connection_opened() { connections_.Increment(); }
void Metrics::connection_closed() { connections_.Decrement(); }
void Metrics::refused(std::string_view code) {
    refusals_.Add({{"code", std::string(code)}}).Increment();
}
void Metrics::bytes_received(std::size_t bytes) { bytes_received_.tally.add(bytes); }
void Metrics::bytes_sent(std::size_t bytes) { bytes_sent_.tally.add(bytes); }
void Metrics::request_started() { started_.add(1); }

void Metrics::request_finished(std::string_view method, std::string_view route, int status,
                               std::chrono::nanoseconds duration) {
    finished_.add(1);
    const Series series = series_of(known_method(method), route.empty() ? "none" : route, status);
    series.requests->Increment();
    series.duration->Observe(std::chrono::duration<double>(duration).count());
}

Metrics::Series Metrics::series_of(std::string_view method, std::string_view route, int status) {
    const int status_class = status / 100;
    const std::tuple key{method, route, status_class};
    {
        const std::shared_lock lock(series_mutex_);
        if (const auto found = series_.find(key); found != series_.end()) return found->second;
    }
    const prometheus::Labels of_route{{"route", std::string(route)}};
    const prometheus::Labels of_request{{"method", std::string(method)},
                                        {"route", std::string(route)},
                                        {"status", fmt::format("{}xx", status_class)}};
    const Series series{.requests = &requests_.Add(of_request),
                        .duration = &durations_.Add(of_route, duration_buckets)};
    const std::unique_lock lock(series_mutex_);
    series_.emplace(key, series);
    return series;
}

}  // namespace bos::gateway
