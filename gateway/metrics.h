#pragma once

#include "gateway/http_server.h"
#include "gateway/tally.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace bos::gateway {

/// Counts what the server does, for Prometheus. Labels have few values whatever clients send: route
/// templates instead of paths, known methods, classes of status. Never a tenant: a series stays
/// until the process ends, and what a tenant does is not for all who read metrics. Thread-safe.
class Metrics final : public ServerObserver {
  public:
    Metrics();

    /// For further series of other parts.
    [[nodiscard]] prometheus::Registry& registry() { return *registry_; }
    /// Called before each text(), one call at a time: for figures that others keep.
    void before_text(std::function<void()> take_figures);
    /// Prometheus text exposition format 0.0.4.
    [[nodiscard]] std::string text() const;
    static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

    /// An answer was given again, see AnswerCache.
    void given_again() { given_again_.tally.add(1); }

    void connection_opened() override;
    void connection_closed() override;
    void refused(std::string_view code) override;
    void bytes_received(std::size_t bytes) override;
    void bytes_sent(std::size_t bytes) override;
    void request_started() override;
    void request_finished(std::string_view method, std::string_view route, int status,
                          std::chrono::nanoseconds duration) override;

  private:
    /// The series of a method, a route and a class of status. Finding them by their labels would
    /// take longer than counting.
    struct Series {
        prometheus::Counter* requests;
        prometheus::Histogram* duration;
    };
    [[nodiscard]] Series series_of(std::string_view method, std::string_view route, int status);

    /// What each request adds to more than once: given to its series when they are read.
    struct Sum {
        explicit Sum(prometheus::Counter& counter) : series(counter) {}
        prometheus::Counter& series;
        Tally tally;

        void give();
    };

    std::shared_ptr<prometheus::Registry> registry_;
    std::vector<std::function<void()>> before_text_;  ///< guarded by text_mutex_
    mutable std::mutex text_mutex_;                   ///< held while they run
    prometheus::Family<prometheus::Counter>& requests_;
    prometheus::Family<prometheus::Histogram>& durations_;
    prometheus::Family<prometheus::Counter>& refusals_;
    prometheus::Gauge& in_flight_;
    Tally started_;
    Tally finished_;
    prometheus::Gauge& connections_;
    mutable Sum bytes_received_;  ///< series: guarded by text_mutex_, as are the next
    mutable Sum bytes_sent_;
    mutable Sum given_again_;

    std::shared_mutex series_mutex_;
    /// As many as there are series: labels have few values.
    std::map<std::tuple<std::string, std::string, int>, Series, std::less<>> series_;
};

}  // namespace bos::gateway
