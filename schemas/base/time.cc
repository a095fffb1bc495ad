#include "schemas/base/time.h"

#include <fmt/format.h>

namespace bos {

namespace {

void put_two(char* at, std::int64_t value) {
    at[0] = static_cast<char>('0' + value / 10);
    at[1] = static_cast<char>('0' + value % 10);
}

/// Takes exactly `width` digits from the front of `text`.
bool take_number(std::string_view& text, std::size_t width, int& out) {
    if (text.size() < width) return false;
    out = 0;
    for (std::size_t i = 0; i < width; ++i) {
        if (text[i] < '0' || text[i] > '9') return false;
        out = out * 10 + (text[i] - '0');
    }
    text.remove_prefix(width);
    return true;
}

bool take(std::string_view& text, char expected) {
    if (text.empty() || text.front() != expected) return false;
    text.remove_prefix(1);
    return true;
}

/// ".123" to microseconds; no dot is zero.
bool take_fraction(std::string_view& text, std::int64_t& out_micros) {
    out_micros = 0;
    if (!take(text, '.')) return true;
    int digits = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        if (digits < 6) out_micros = out_micros * 10 + (text.front() - '0');
        text.remove_prefix(1);
        if (++digits > 9) return false;
    }
    for (int i = digits; i < 6; ++i) out_micros *= 10;
    return digits > 0;
}

/// "Z" or "+hh:mm".
bool take_offset(std::string_view& text, std::chrono::minutes& out) {
    out = std::chrono::minutes{0};
    if (text.empty()) return false;
    const char sign = text.front();
    text.remove_prefix(1);
    if (sign == 'Z' || sign == 'z') return true;
    if (sign != '+' && sign != '-') return false;
    int hours = 0;
    int minutes = 0;
    if (!take_number(text, 2, hours) || !take(text, ':') || !take_number(text, 2, minutes)) {
        return false;
    }
    if (hours > 23 || minutes > 59) return false;
    out = std::chrono::minutes{(sign == '-' ? -1 : 1) * (hours * 60 + minutes)};
    return true;
}

}  // namespace

/// Without fmt but for years that no answer has: answers are full of times.
std::string to_string(Timestamp time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{time - day};
    const int year = static_cast<int>(date.year());
    if (year < 0 || year > 9999) {
        return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", year,
                           static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                           clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                           clock.subseconds().count());
    }
    std::string text = "0000-00-00T00:00:00.000000Z";
    char* const at = text.data();
    const std::int64_t micros = clock.subseconds().count();
    put_two(at, year / 100);
    put_two(at + 2, year % 100);
    put_two(at + 5, static_cast<unsigned>(date.month()));
    put_two(at + 8, static_cast<unsigned>(date.day()));
    put_two(at + 11, clock.hours().count());
    put_two(at + 14, clock.minutes().count());
    put_two(at + 17, clock.seconds().count());
    put_two(at + 20, micros / 10'000);
    put_two(at + 22, micros / 100 % 100);
    put_two(at + 24, micros % 100);
    return text;
}

std::optional<Timestamp> parse_timestamp(std::string_view text) {
    int year = 0;
    int month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    std::int64_t fraction = 0;
    std::chrono::minutes offset{0};
    if (!take_number(text, 4, year) || !take(text, '-') || !take_number(text, 2, month) ||
        !take(text, '-') || !take_number(text, 2, day)) {
        return std::nullopt;
    }
    if (!take(text, 'T') && !take(text, 't')) return std::nullopt;
    if (!take_number(text, 2, hour) || !take(text, ':') || !take_number(text, 2, minute) ||
        !take(text, ':') || !take_number(text, 2, second) || !take_fraction(text, fraction) ||
        !take_offset(text, offset) || !text.empty()) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok() || year < 1 || hour > 23 || minute > 59 || second > 59) return std::nullopt;
    const Timestamp time = std::chrono::sys_days{date} + std::chrono::hours{hour} +
                           std::chrono::minutes{minute} + std::chrono::seconds{second} +
                           std::chrono::microseconds{fraction} - offset;
    // An offset may carry the first or the last day out of the years that RFC 3339 can write.
    const auto in_utc =
        std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(time)}.year();
    if (in_utc < std::chrono::year{1} || in_utc > std::chrono::year{9999}) return std::nullopt;
    return time;
}

Timestamp SystemClock::now() {
    return std::chrono::time_point_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now());
}

}  // namespace bos
