#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bos {

/// ISO 4217 alphabetic code: three upper-case letters.
struct Currency {
    std::array<char, 3> letters{'X', 'X', 'X'};

    friend auto operator<=>(const Currency&, const Currency&) = default;
    [[nodiscard]] std::string_view view() const { return {letters.data(), letters.size()}; }
};

[[nodiscard]] std::optional<Currency> parse_currency(std::string_view text);

/// An amount in the currency's minor unit (cents). No floating point anywhere.
struct Money {
    std::int64_t minor = 0;
    Currency currency;

    friend auto operator<=>(const Money&, const Money&) = default;
};

}  // namespace bos
