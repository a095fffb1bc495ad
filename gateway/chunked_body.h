#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace bos::gateway {

/// Decodes a chunked body (RFC 9112 7.1) while it arrives: hexadecimal sizes of at most 8 digits,
/// no extensions, no trailers, exact CRLFs. Extensions and trailers have been ways to smuggle
/// requests and to slip header fields past their checks, and nobody needs them here.
class ChunkedDecoder {
  public:
    enum class Refusal : std::uint8_t { malformed, too_large };
    struct Progress {
        std::size_t consumed = 0;  ///< bytes of the input that belong to the body
        bool complete = false;     ///< the rest of the input is the next request
    };

    explicit ChunkedDecoder(std::size_t body_bytes_max) : body_bytes_max_(body_bytes_max) {}

    /// Appends decoded bytes to `body`. Not to be called again after `complete` or a refusal.
    [[nodiscard]] std::expected<Progress, Refusal> feed(std::string_view input, std::string& body);

  private:
    enum class State : std::uint8_t {
        size_first_digit,
        size,
        size_line_feed,
        data,
        data_carriage_return,
        data_line_feed,
        end_carriage_return,
        end_line_feed,
    };

    [[nodiscard]] std::expected<void, Refusal> step(char c);
    [[nodiscard]] std::expected<void, Refusal> add_size_digit(char c);

    std::size_t body_bytes_max_;
    State state_ = State::size_first_digit;
    std::size_t size_digits_ = 0;
    std::size_t chunk_bytes_left_ = 0;
    bool complete_ = false;
};

}  // namespace bos::gateway
