#pragma once

#include "bench/http_load.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bos::bench {

/// What the clients say to one server: each connection captures a lead, qualifies it, and takes
/// the next one.
class LeadTraffic {
  public:
    /// `key` is sent to all servers; only BOS looks at it. `pipeline` is where leads are captured.
    LeadTraffic(std::uint16_t port, std::string key, std::string pipeline);

    /// The traffic stays where it is while the load is there.
    [[nodiscard]] HttpLoad from(std::size_t connections);

    /// That everything captured is on the server's board, once. Throws otherwise; no command may
    /// be under way.
    void check_board() const;

    [[nodiscard]] std::uint64_t captured() const { return captured_; }
    /// The server was started anew.
    void turn_to(std::uint16_t port) { port_ = port; }

  private:
    [[nodiscard]] std::string next(std::size_t connection, std::uint64_t number,
                                   std::string_view answer);

    std::uint16_t port_;
    const std::string key_;
    const std::string pipeline_;
    std::atomic<std::uint64_t> captured_ = 0;
};

/// Of a command's answer; an id that no lead has when there is none.
[[nodiscard]] std::string id_in(std::string_view answer);

}  // namespace bos::bench
