#include "gateway/chunked_body.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace bos::gateway {

namespace {

struct Decoded {
    bool refused = false;
    bool too_large = false;
    bool complete = false;
    std::string body;
    std::size_t consumed = 0;
};

Decoded decode(std::string_view input, std::size_t step, std::size_t body_bytes_max = 1024) {
    ChunkedDecoder decoder(body_bytes_max);
    Decoded out;
    while (out.consumed < input.size() && !out.complete) {
        const auto progress = decoder.feed(input.substr(out.consumed, step), out.body);
        if (!progress) {
            out.refused = true;
            out.too_large = progress.error() == ChunkedDecoder::Refusal::too_large;
            return out;
        }
        out.consumed += progress->consumed;
        out.complete = progress->complete;
    }
    return out;
}

}  // namespace

TEST_CASE("a chunked body decodes the same in pieces of any size") {
    const std::string_view input = "5\r\nhello\r\n00000C\r\n0123456789\r\n\r\n0\r\n\r\nGET /";
    for (std::size_t step = 1; step <= input.size(); ++step) {
        INFO(step);
        const Decoded decoded = decode(input, step);
        CHECK(decoded.complete);
        CHECK(decoded.body == "hello0123456789\r\n");
        CHECK(input.substr(decoded.consumed) == "GET /");
    }
}

TEST_CASE("what is not strictly chunked is refused") {
    for (const std::string_view input :
         {"5;a=b\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n", " 5\r\nhello\r\n", "+5\r\nhello\r\n",
          "-5\r\nhello\r\n", "0x5\r\nhello\r\n", "\r\nhello\r\n", "g\r\n", "5\nhello\r\n",
          "5\r\r\nhello", "5\r\nhelloX\r\n", "5\r\nhello\n0\r\n\r\n",
          "5\r\nhello\r\n0\r\nA: b\r\n\r\n", "0\r\n\n", "0\n\n", "000000005\r\nhello\r\n",
          "100000000000000000\r\n"}) {
        INFO(std::string(input));
        for (const std::size_t step : {std::size_t{1}, input.size()}) {
            const Decoded decoded = decode(input, step);
            CHECK(decoded.refused);
            CHECK_FALSE(decoded.complete);
        }
    }
}

TEST_CASE("a chunked body ends at its limit, before its bytes are kept") {
    CHECK(decode("5\r\nhello\r\n0\r\n\r\n", 100, 5).complete);
    const Decoded decoded = decode("5\r\nhello\r\n1\r\nx\r\n0\r\n\r\n", 100, 5);
    CHECK(decoded.too_large);
    CHECK(decoded.body == "hello");
    CHECK(decode("FFFFFFFF\r\n", 100).too_large);
}

}  // namespace bos::gateway
