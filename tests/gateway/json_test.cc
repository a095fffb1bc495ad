#include "gateway/json.h"

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include <string>
#include <string_view>

using bos::gateway::parse_json;

TEST_CASE("a JSON text reads as its value") {
    const auto value = parse_json(
        R"( {"a":[1,-2,18446744073709551615,1.5],"b":{"c":null},"d":"\u00e4\ud834\udd1e"} )");
    REQUIRE(value);
    CHECK(boost::json::serialize(*value) ==
          "{\"a\":[1,-2,18446744073709551615,1.5E0],\"b\":{\"c\":null},\"d\":"
          "\"\xC3\xA4\xF0\x9D\x84\x9E\"}");
}

TEST_CASE("a number with a fraction reads as the double that is nearest to it") {
    CHECK(parse_json("922337.036854775807")->get_double() == 922337.036854775807);
    CHECK(parse_json("9.223370368547759E5")->get_double() == 9.223370368547759E5);
    CHECK(parse_json("[-1.7976931348623157e308]")->at(0).get_double() == -1.7976931348623157e308);
    CHECK(parse_json("2.5E+1")->get_double() == 25.0);
    CHECK(parse_json("5e-324")->get_double() == 5e-324);
    CHECK(parse_json("1e-400")->get_double() == 0.0);
    CHECK_FALSE(parse_json("1e400").has_value());
}

TEST_CASE("what JSON parsers read differently is refused, with its place") {
    struct Row {
        std::string_view text;
        std::string_view code;
        std::string_view pointer;
    };
    const Row rows[] = {
        {R"({"a":1,"a":2})", "json_duplicate_key", "/a"},
        {R"({"x":[{"p/q":0,"p\u002fq":1}]})", "json_duplicate_key", "/x/0/p~1q"},
        {R"({"a":{"m~n":1e999}})", "json_number_out_of_range", "/a/m~0n"},
        {"[1,18446744073709551616]", "json_number_out_of_range", "/1"},
        {"[-9223372036854775809]", "json_number_out_of_range", "/0"},
        {"[1e99999999999]", "json_number_out_of_range", "/0"},
        {R"(["\ud800\u0041"])", "json_lone_surrogate", "/0"},
        {R"(["\ud800"])", "json_syntax", "/0"},
        {R"(["\udc00"])", "json_lone_surrogate", "/0"},
        {"[1,]", "json_syntax", "/1"},
        {"[1] // x", "json_extra_data", ""},
        {"{\"a\":1,}", "json_syntax", "/a"},
        {"\xEF\xBB\xBF{}", "json_syntax", ""},
        {"[\"\xFF\"]", "json_syntax", "/0"},
        {"[NaN]", "json_syntax", "/0"},
        {"[Infinity]", "json_syntax", "/0"},
        {"[01]", "json_syntax", "/1"},
        {"{'a':1}", "json_syntax", ""},
        {"", "json_incomplete", ""},
        {"[1", "json_incomplete", "/1"},
        {"{} {}", "json_extra_data", ""},
    };
    for (const Row& row : rows) {
        INFO(std::string(row.text));
        const auto value = parse_json(row.text);
        REQUIRE_FALSE(value);
        CHECK(value.error().code == row.code);
        CHECK(value.error().pointer == row.pointer);
    }
}

TEST_CASE("nesting ends at 32 levels") {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    CHECK(parse_json(nested(32)));
    const auto too_deep = parse_json(nested(33));
    REQUIRE_FALSE(too_deep);
    CHECK(too_deep.error().code == "json_too_deep");
}
