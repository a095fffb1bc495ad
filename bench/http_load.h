#pragma once

#include "bench/http_client.h"
#include "bench/measured.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace bos::bench {

/// Keep-alive connections to one server, each with a thread of its own and one request under way.
class HttpLoad {
  public:
    /// The connection's next request; `answer` is the body of the one before, empty at first.
    /// Called by the threads of all connections.
    using NextRequest = std::function<std::string(std::size_t connection, std::uint64_t number,
                                                  std::string_view answer)>;

    HttpLoad(std::uint16_t port, std::size_t connections, NextRequest next);

    [[nodiscard]] Measured run(double seconds);

  private:
    struct Connection {
        HttpClient client;
        std::uint64_t requests = 0;
    };

    void drive(std::size_t connection, SteadyClock::time_point end,
               std::vector<std::uint64_t>& latencies);

    const NextRequest next_;
    std::vector<Connection> connections_;
};

}  // namespace bos::bench
