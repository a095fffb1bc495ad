#include "gateway/metrics.h"

#include "gateway/router.h"
#include "gateway/trace_context.h"
#include "tests/gateway/raw_client.h"
#include "tests/gateway/test_server.h"

#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <string>

namespace bos::gateway {

namespace {

class CountingRandom final : public Random {
  public:
    void fill(std::span<std::uint8_t> out) override {
        for (std::uint8_t& byte : out) byte = next_++;
    }

  private:
    std::uint8_t next_ = 0;
};

bool has_line(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("what the server does is counted by route template, with few labels") {
    Metrics metrics;
    Router router;
    router.add("GET /v1/leads/{lead}", echo);
    {
        TestServer server(test_options(), std::bind_front(&Router::handle, &router), &metrics);
        RawClient client(server.port());
        for (const char* request :
             {"GET /v1/leads/7", "GET /v1/leads/8", "GET /nothing", "BREW /v1/leads/7"}) {
            CHECK(client.ask(std::string(request) + " HTTP/1.1\r\nHost: a\r\n\r\n"));
        }
        CHECK(client.ask("GET / HTTP/1.1\r\n\r\n"));
        client.end_sending();
        client.read_all();
    }
    const std::string text = metrics.text();
    INFO(text);
    CHECK(has_line(text,
                   "bos_http_requests_total{method=\"GET\",route=\"/v1/leads/{lead}\","
                   "status=\"2xx\"} 2"));
    CHECK(
        has_line(text, "bos_http_requests_total{method=\"GET\",route=\"none\",status=\"4xx\"} 1"));
    CHECK(has_line(text,
                   "bos_http_requests_total{method=\"other\",route=\"/v1/leads/{lead}\","
                   "status=\"4xx\"} 1"));
    CHECK(has_line(text, "bos_http_refused_total{code=\"bad_host\"} 1"));
    CHECK(has_line(text, "bos_http_connections 0"));
    CHECK(has_line(text, "bos_http_requests_in_flight 0"));
    CHECK(has_line(text, "bos_http_request_duration_seconds_count{route=\"none\"} 1"));
    CHECK(text.find("bos_http_received_bytes_total ") != std::string::npos);
}

TEST_CASE("a traceparent reads strictly and writes back") {
    const std::string text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const auto context = parse_traceparent(text);
    REQUIRE(context);
    CHECK(to_string(context->trace_id) == "4bf92f35-77b3-4da6-a3ce-929d0e0e4736");
    CHECK(context->sampled);
    CHECK(to_traceparent(*context) == text);
    CHECK(parse_traceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes"));
    CHECK_FALSE(
        parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02")->sampled);

    for (const char* bad : {"", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
                            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
                            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.x",
                            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                            "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
                            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}) {
        INFO(bad);
        CHECK_FALSE(parse_traceparent(bad));
    }
}

TEST_CASE("a trace goes on with an id of our own, or starts anew") {
    CountingRandom random;
    const auto given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const TraceContext next = continue_trace(given, random);
    CHECK(next.trace_id == parse_traceparent(given)->trace_id);
    CHECK(next.parent_id != parse_traceparent(given)->parent_id);
    CHECK(next.sampled);
    const TraceContext fresh = continue_trace("nonsense", random);
    CHECK_FALSE(fresh.trace_id.is_nil());
    CHECK(fresh.trace_id != next.trace_id);
    CHECK_FALSE(continue_trace(std::nullopt, random).trace_id == fresh.trace_id);
}

}  // namespace bos::gateway
