#include "eventstore/group_wait.h"

#include <doctest/doctest.h>

namespace bos::eventstore {

namespace {

using namespace std::chrono_literals;

}  // namespace

TEST_CASE("a group waits for those who were answered, half as long as a write takes") {
    GroupWait wait;
    CHECK_FALSE(wait.next(0));  // the first one

    wait.written(5, 3, 100us);
    const auto next = wait.next(3);
    REQUIRE(next);
    CHECK(next->appends == 8);
    CHECK(next->at_most == 50us);
    wait.waited(8);

    SUBCASE("and so does the next one") {
        wait.written(8, 0, 200us);
        REQUIRE(wait.next(1));
        CHECK(wait.next(1)->appends == 8);
        CHECK(wait.next(1)->at_most == 100us);
    }
    SUBCASE("not when they are there") {
        wait.written(4, 0, 100us);
        CHECK_FALSE(wait.next(4));
    }
    SUBCASE("never long, however slow the disk was") {
        wait.written(8, 0, 10s);
        REQUIRE(wait.next(0));
        CHECK(wait.next(0)->at_most == 1ms);
    }
}

TEST_CASE("a lone writer's next append is not waited for with anybody else's") {
    GroupWait wait;
    wait.written(1, 0, 100us);
    CHECK_FALSE(wait.next(1));
}

TEST_CASE("who does not come back is not waited for with the next groups") {
    GroupWait wait;
    const auto waits = [&wait](std::size_t groups, std::size_t come_back) {
        std::size_t count = 0;
        for (std::size_t group = 0; group < groups; ++group) {
            wait.written(8, 0, 100us);
            if (!wait.next(0)) continue;
            wait.waited(come_back);
            ++count;
        }
        return count;
    };
    constexpr std::size_t groups = 170;
    CHECK(waits(groups, 0) == 10);
    CHECK(waits(groups, 3) == 10);
    CHECK(waits(groups, 4) == groups);
    CHECK(waits(groups, 8) == groups);
}

}  // namespace bos::eventstore
