#include "schemas/base/recent_map.h"

#include <doctest/doctest.h>

#include <string>

namespace bos {

TEST_CASE("a full map forgets what was not found for longest") {
    RecentMap<std::string, int> map(4);
    map.put("a", 1);
    map.put("b", 2);
    map.put("c", 3);
    REQUIRE(map.find("a") != nullptr);  // found: young again
    map.put("d", 4);                    // the older generation, with b, goes
    CHECK(map.find("b") == nullptr);
    REQUIRE(map.find("a") != nullptr);
    CHECK(*map.find("a") == 1);
    CHECK(*map.find("d") == 4);
}

TEST_CASE("a map never weighs more than it may") {
    RecentMap<int, int> map(100);
    for (int i = 0; i < 1000; ++i) {
        map.put(i, i, static_cast<std::size_t>(1 + i % 50));
        if (i % 3 == 0) static_cast<void>(map.find(i / 2));
        REQUIRE(map.weight() <= 100);
    }
    map.put(1, 1, 51);  // heavier than a generation
    CHECK(map.find(1) == nullptr);
    CHECK(map.weight() <= 100);
}

TEST_CASE("a new value takes the place and the weight of the old one") {
    RecentMap<int, std::string> map(10);
    map.put(1, "heavy", 5);
    map.put(1, "light", 1);
    CHECK(map.weight() == 1);
    CHECK(*map.find(1) == "light");
    map.clear();
    CHECK(map.find(1) == nullptr);
    CHECK(map.weight() == 0);
}

}  // namespace bos
