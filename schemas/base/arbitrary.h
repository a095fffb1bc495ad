#pragma once

#include "schemas/base/field.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Messages drawn at random from a seed, obeying the rules of their fields: for properties, golden
// files and load. The same seed gives the same message on every platform; no standard distribution
// is used, since libraries differ.

namespace bos {

/// Pseudo-random numbers from a seed: SplitMix64 (Steele, Lea, Flood 2014). Not for secrets.
class Draws {
  public:
    explicit Draws(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }
    /// 0 to bound - 1. The bias of the remainder does not matter here.
    std::uint64_t below(std::uint64_t bound) { return next() % bound; }
    /// From `low` to `high`, both included.
    std::int64_t between(std::int64_t low, std::int64_t high) {
        const auto width = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
        const std::uint64_t step =
            width == std::numeric_limits<std::uint64_t>::max() ? next() : below(width + 1);
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + step);
    }
    bool one_in(std::uint64_t count) { return below(count) == 0; }

  private:
    std::uint64_t state_;
};

/// In which states personal data is drawn.
enum class PiiStates : std::uint8_t { plain, any };

/// A message of type `T`, drawn from `draws`.
template <Reflected T>
[[nodiscard]] T arbitrary(Draws& draws, PiiStates states = PiiStates::plain);

template <Reflected T>
[[nodiscard]] T arbitrary_of(std::uint64_t seed, PiiStates states = PiiStates::plain) {
    Draws draws(seed);
    return arbitrary<T>(draws, states);
}

namespace drawing {

struct Source {
    Draws& draws;
    PiiStates states;
};

/// ASCII most of the time, then what breaks careless code: quotes, control characters, two to four
/// bytes of UTF-8.
inline std::string_view any_character(Draws& draws) {
    static constexpr std::string_view odd[] = {"\"", "\\", "/",  "\n",     "\x01", "\x7f",
                                               "é",  "ß",  "漢", "\u2028", "🦊"};
    static constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyz ABC 0123456789 .,-_";
    if (draws.one_in(5)) return odd[draws.below(std::size(odd))];
    return plain.substr(draws.below(plain.size()), 1);
}

inline std::string letters(Draws& draws, std::string_view alphabet, std::uint64_t count) {
    std::string text;
    for (std::uint64_t i = 0; i < count; ++i) text += alphabet[draws.below(alphabet.size())];
    return text;
}

inline constexpr std::string_view lower_case = "abcdefghijklmnopqrstuvwxyz";
inline constexpr std::string_view digits = "0123456789";

inline std::string formatted(Draws& draws, Format format) {
    switch (format) {
        case Format::email:
            return letters(draws, "abcxyz.+-_09", 1 + draws.below(12)) + "@" +
                   letters(draws, lower_case, 1 + draws.below(10)) + ".example";
        case Format::phone:
            return "+" + letters(draws, "123456789", 1) +
                   letters(draws, digits, 7 + draws.below(8));
        case Format::slug:
            return letters(draws, lower_case, 1) + letters(draws, "abcxyz09_-", draws.below(12));
        case Format::currency:
            return letters(draws, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 3);
        case Format::none:
            return {};
    }
    return {};
}

inline void draw(Source& source, const Rules& rules, std::string& text) {
    if (rules.json) {
        text = "{}";
        return;
    }
    if (rules.format != Format::none) {
        text = formatted(source.draws, rules.format);
        return;
    }
    text.clear();
    const std::uint64_t longest = std::min<std::uint64_t>(rules.max_length, rules.min_length + 24U);
    const std::uint64_t length =
        rules.min_length + source.draws.below(longest - rules.min_length + 1);
    for (std::uint64_t i = 0; i < length; ++i) text += any_character(source.draws);
}
inline void draw(Source& source, const Rules&, bool& value) { value = source.draws.one_in(2); }
template <class T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
void draw(Source& source, const Rules& rules, T& value) {
    using Limits = std::numeric_limits<T>;
    const auto low = std::in_range<T>(rules.min) ? static_cast<T>(rules.min) : Limits::min();
    const bool bounded = rules.max != Rules{}.max && std::in_range<T>(rules.max);
    const auto high = bounded ? static_cast<T>(rules.max) : Limits::max();
    if (source.draws.one_in(8)) {
        value = source.draws.one_in(2) ? low : high;
    } else if (std::is_same_v<T, std::uint64_t> && !bounded) {
        value = static_cast<T>(source.draws.next() >> source.draws.below(64));
    } else {
        value = static_cast<T>(
            source.draws.between(static_cast<std::int64_t>(low), static_cast<std::int64_t>(high)));
    }
}
template <NamedEnum E>
void draw(Source& source, const Rules&, E& value) {
    value = static_cast<E>(source.draws.below(enum_names(E{}).size()));
}
inline void draw(Source& source, const Rules&, Uuid& uuid) {
    for (std::uint8_t& byte : uuid.bytes) byte = static_cast<std::uint8_t>(source.draws.next());
    uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0F) | 0x70);
    uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3F) | 0x80);
}
template <class Tag>
void draw(Source& source, const Rules& rules, Id<Tag>& id) {
    Uuid uuid;
    draw(source, rules, uuid);
    id = Id<Tag>(uuid);
}
/// Mostly of this century; now and then anywhere in the years 1 to 9999, which RFC 3339 can write.
inline void draw(Source& source, const Rules&, Timestamp& time) {
    constexpr std::int64_t first = -62'135'596'800'000'000;
    constexpr std::int64_t last = 253'402'300'799'999'999;
    constexpr std::int64_t year_2000 = 946'684'800'000'000;
    constexpr std::int64_t year_2100 = 4'102'444'800'000'000;
    time = from_micros(source.draws.one_in(6) ? source.draws.between(first, last)
                                              : source.draws.between(year_2000, year_2100));
}
inline void draw(Source& source, const Rules& rules, Money& money) {
    draw(source, rules, money.minor);
    const std::string code = formatted(source.draws, Format::currency);
    std::copy(code.begin(), code.end(), money.currency.letters.begin());
}
template <Reflected T>
void draw(Source& source, const Rules&, T& table) {
    table = arbitrary<T>(source.draws, source.states);
}
template <class T>
void draw(Source& source, const Rules& rules, std::vector<T>& items) {
    items.resize(source.draws.below(std::min<std::uint64_t>(rules.max_items, 4) + 1));
    for (T& item : items) draw(source, rules, item);
}
template <class T>
void draw(Source& source, const Rules& rules, Pii<T>& personal) {
    const std::uint64_t state = source.states == PiiStates::any ? source.draws.below(3) : 0;
    if (state == 1) {
        personal = Pii<T>(Sealed{letters(source.draws, digits, source.draws.below(40))});
    } else if (state == 2) {
        personal = Pii<T>(Erased{});
    } else {
        T plain;
        draw(source, rules, plain);
        personal = Pii<T>(std::move(plain));
    }
}
template <class T>
void draw(Source& source, const Rules& rules, std::optional<T>& value) {
    value.reset();
    if (source.draws.one_in(2)) draw(source, rules, value.emplace());
}
template <class T>
void draw(Source& source, const Rules& rules, Patch<T>& patch) {
    const std::uint64_t state = source.draws.below(3);
    patch = state == 0 ? Patch<T>() : Patch<T>::clear();
    if (state != 2) return;
    T value{};
    draw(source, rules, value);
    patch = Patch<T>::set(std::move(value));
}

}  // namespace drawing

template <Reflected T>
T arbitrary(Draws& draws, PiiStates states) {
    drawing::Source source{draws, states};
    T message;
    for_each_field<T>(
        [&](const auto& field) { drawing::draw(source, field.rules, message.*field.member); });
    return message;
}

}  // namespace bos
