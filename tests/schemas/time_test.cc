#include "schemas/base/time.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace bos::test {

TEST_CASE("times of RFC 3339 are read with any offset") {
    struct Row {
        std::string_view text;
        std::string_view utc;
    };
    const Row rows[] = {
        {"2026-01-31T08:15:00Z", "2026-01-31T08:15:00.000000Z"},
        {"2026-01-31t08:15:00z", "2026-01-31T08:15:00.000000Z"},
        {"2026-01-31T08:15:00.5Z", "2026-01-31T08:15:00.500000Z"},
        {"2026-01-31T08:15:00.123456Z", "2026-01-31T08:15:00.123456Z"},
        {"2026-01-31T08:15:00.123456789Z", "2026-01-31T08:15:00.123456Z"},
        {"2026-01-31T08:15:00+00:00", "2026-01-31T08:15:00.000000Z"},
        {"2026-01-31T08:15:00-00:00", "2026-01-31T08:15:00.000000Z"},
        {"2026-01-31T08:15:00+01:00", "2026-01-31T07:15:00.000000Z"},
        {"2026-01-31T08:15:00+05:45", "2026-01-31T02:30:00.000000Z"},
        {"2025-12-31T23:30:00-01:00", "2026-01-01T00:30:00.000000Z"},
        {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z"},
        {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000000Z"},
        {"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
        {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"},
        {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
        {"2026-01-31T00:00:00+23:59", "2026-01-30T00:01:00.000000Z"},
    };
    for (const Row& row : rows) {
        INFO(row.text);
        const auto time = parse_timestamp(row.text);
        REQUIRE(time.has_value());
        CHECK(to_string(*time) == row.utc);
    }
}

TEST_CASE("what is not a time of RFC 3339 is refused") {
    for (const char* text : {"",
                             "2026",
                             "2026-01-31",
                             "2026-01-31T08:15Z",
                             "2026-01-31T08:15:00",
                             "2026-01-31 08:15:00Z",
                             "26-01-31T08:15:00Z",
                             "2026-1-31T08:15:00Z",
                             "2026-02-29T00:00:00Z",
                             "1900-02-29T00:00:00Z",
                             "2026-04-31T00:00:00Z",
                             "2026-13-01T00:00:00Z",
                             "2026-00-01T00:00:00Z",
                             "2026-01-00T00:00:00Z",
                             "0000-01-01T00:00:00Z",
                             "2026-01-31T24:00:00Z",
                             "2026-01-31T08:60:00Z",
                             "2026-01-31T23:59:60Z",
                             "2026-01-31T08:15:00.Z",
                             "2026-01-31T08:15:00.1234567890Z",
                             "2026-01-31T08:15:00,5Z",
                             "2026-01-31T08:15:00+0100",
                             "2026-01-31T08:15:00+1:00",
                             "2026-01-31T08:15:00+24:00",
                             "2026-01-31T08:15:00+01:60",
                             "2026-01-31T08:15:00ZZ",
                             " 2026-01-31T08:15:00Z",
                             "2026-01-31T08:15:00Z ",
                             "+2026-01-31T08:15:00Z",
                             "-001-01-31T08:15:00Z",
                             "2026-01-31T08:15:00UTC",
                             "2026-01-31T08:15:00.5 Z"}) {
        INFO(text);
        CHECK(!parse_timestamp(text).has_value());
    }
}

TEST_CASE("an offset must not carry a time out of the years that can be written") {
    for (const char* text : {"0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"}) {
        INFO(text);
        CHECK(!parse_timestamp(text).has_value());
    }
}

TEST_CASE("every instant of the years 1 to 9999 survives its text") {
    CHECK(rc::check("written and read", [](std::uint64_t seed) {
        const std::uint64_t span = 315'537'897'600'000'000;  // microseconds of 9999 years
        const auto time =
            from_micros(-62'135'596'800'000'000 + static_cast<std::int64_t>(seed % span));
        RC_ASSERT((parse_timestamp(to_string(time)) == time));
    }));
}

}  // namespace bos::test
