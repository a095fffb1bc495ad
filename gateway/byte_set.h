#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace bos::gateway {

/// The bytes that a rule allows, looked up instead of compared one after the other: each byte of
/// each request is asked about more than once.
class ByteSet {
  public:
    template <class Rule>
    explicit constexpr ByteSet(Rule allows) {
        for (std::size_t byte = 0; byte < has_.size(); ++byte)
            has_[byte] = allows(static_cast<char>(byte));
    }

    [[nodiscard]] constexpr bool has(char c) const { return has_[static_cast<std::uint8_t>(c)]; }
    [[nodiscard]] constexpr bool has_all(std::string_view text) const {
        return std::ranges::all_of(text, [this](char c) { return has(c); });
    }

  private:
    std::array<bool, 256> has_{};
};

}  // namespace bos::gateway
