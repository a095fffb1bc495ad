#include "gateway/chunked_body.h"

#include <algorithm>

namespace bos::gateway {

namespace {

constexpr std::size_t size_digits_max = 8;

/// -1 when `c` is no hexadecimal digit.
int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::expected<ChunkedDecoder::Progress, ChunkedDecoder::Refusal> ChunkedDecoder::feed(
    std::string_view input, std::string& body) {
    std::size_t consumed = 0;
    while (consumed < input.size() && !complete_) {
        if (state_ == State::data) {
            const std::size_t size = std::min(chunk_bytes_left_, input.size() - consumed);
            body.append(input.substr(consumed, size));
            consumed += size;
            chunk_bytes_left_ -= size;
            if (chunk_bytes_left_ == 0) state_ = State::data_carriage_return;
            continue;
        }
        if (auto stepped = step(input[consumed]); !stepped) return std::unexpected(stepped.error());
        ++consumed;
        if (state_ == State::data && body.size() + chunk_bytes_left_ > body_bytes_max_) {
            return std::unexpected(Refusal::too_large);
        }
    }
    return Progress{consumed, complete_};
}

std::expected<void, ChunkedDecoder::Refusal> ChunkedDecoder::add_size_digit(char c) {
    const int digit = hex_value(c);
    if (digit < 0 || size_digits_ == size_digits_max) return std::unexpected(Refusal::malformed);
    chunk_bytes_left_ = chunk_bytes_left_ * 16 + static_cast<std::size_t>(digit);
    ++size_digits_;
    state_ = State::size;
    return {};
}

std::expected<void, ChunkedDecoder::Refusal> ChunkedDecoder::step(char c) {
    const auto expect = [&](char wanted, State next) -> std::expected<void, Refusal> {
        if (c != wanted) return std::unexpected(Refusal::malformed);
        state_ = next;
        return {};
    };
    switch (state_) {
        case State::size_first_digit:
            size_digits_ = 0;
            chunk_bytes_left_ = 0;
            return add_size_digit(c);
        case State::size:
            if (c != '\r') return add_size_digit(c);
            state_ = State::size_line_feed;
            return {};
        case State::size_line_feed:
            return expect('\n', chunk_bytes_left_ == 0 ? State::end_carriage_return : State::data);
        case State::data_carriage_return:
            return expect('\r', State::data_line_feed);
        case State::data_line_feed:
            return expect('\n', State::size_first_digit);
        case State::end_carriage_return:
            return expect('\r', State::end_line_feed);
        case State::end_line_feed: {
            auto ended = expect('\n', State::end_line_feed);
            complete_ = ended.has_value();
            return ended;
        }
        case State::data:
            break;
    }
    return std::unexpected(Refusal::malformed);
}

}  // namespace bos::gateway
