#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bos {

/// An instant, UTC, in whole microseconds since 1970.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

[[nodiscard]] inline std::int64_t micros(Timestamp time) { return time.time_since_epoch().count(); }
[[nodiscard]] inline Timestamp from_micros(std::int64_t value) {
    return Timestamp{std::chrono::microseconds{value}};
}

/// RFC 3339 in UTC with six decimals and 'Z': 2026-01-31T08:15:00.000000Z.
[[nodiscard]] std::string to_string(Timestamp time);
/// RFC 3339 section 5.6 with any offset, years 1 to 9999 (in UTC too), at most nine decimals (those
/// past the sixth are cut). A leap second (:60) is refused.
[[nodiscard]] std::optional<Timestamp> parse_timestamp(std::string_view text);

/// Where the time comes from: the machine, or a simulation.
class Clock {
  public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Timestamp now() = 0;
};

/// The machine's clock. Thread-safe.
class SystemClock final : public Clock {
  public:
    [[nodiscard]] Timestamp now() override;
};

}  // namespace bos
