#include "gateway/answer_cache.h"

#include "gateway/response_writer.h"

#include <doctest/doctest.h>

namespace bos::gateway {

namespace {

Response board(std::string body) { return json_response(200, std::move(body)); }

}  // namespace

TEST_CASE("an answer is given again while what it rests on is the same") {
    AnswerCache cache;
    const AnswerBasis basis{.view_changes = 7, .erasures = 0};
    CHECK_FALSE(cache.find(AnswerName("board"), basis));
    cache.put(AnswerName("board"), basis, board("{}"));
    const auto again = cache.find(AnswerName("board"), basis);
    REQUIRE(again);
    REQUIRE(again->ready);
    CHECK(again->status == 200);
    CHECK(again->ready->body() == "{}");
    CHECK(again->ready->fields() == response_fields(board("{}")));
    CHECK_FALSE(cache.find(AnswerName("list"), basis));
    CHECK_FALSE(cache.find(AnswerName("board"), {.view_changes = 8, .erasures = 0}));
}

TEST_CASE("no answer outlives an erasure, and none from before it is taken in after it") {
    AnswerCache cache;
    const AnswerBasis before{.view_changes = 7, .erasures = 0};
    const AnswerBasis after{.view_changes = 7, .erasures = 1};
    cache.put(AnswerName("lead"), before, board(R"({"name":"Ada"})"));
    CHECK_FALSE(cache.find(AnswerName("lead"), after));
    CHECK_FALSE(cache.find(AnswerName("lead"), before));  // gone, not only out of reach
    cache.put(AnswerName("lead"), before, board(R"({"name":"Ada"})"));
    CHECK_FALSE(cache.find(AnswerName("lead"), before));
}

}  // namespace bos::gateway
