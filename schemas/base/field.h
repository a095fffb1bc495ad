#pragma once

#include "schemas/base/money.h"
#include "schemas/base/pii.h"
#include "schemas/base/time.h"
#include "schemas/base/uuid.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

namespace bos {

/// What a text must look like, beyond its length.
enum class Format : std::uint8_t {
    none,
    email,     ///< one @, a domain with a dot, at most 254 bytes (RFC 5321 4.5.3.1)
    phone,     ///< E.164: + and 8 to 15 digits
    slug,      ///< a-z, 0-9, '-' and '_', starting with a letter
    currency,  ///< ISO 4217 alphabetic
};

/// Rules of one field, from the schema's attributes. Lengths count Unicode code points.
struct Rules {
    bool required = false;  ///< JSON must have it
    bool target = false;    ///< names the stream that the message is about
    bool flat = false;      ///< in JSON the fields of this table stand among those of its owner
    bool json = false;      ///< the text is JSON and is written as such
    std::uint32_t min_length = 0;
    std::uint32_t max_length = std::numeric_limits<std::uint32_t>::max();
    std::uint32_t max_items = std::numeric_limits<std::uint32_t>::max();
    std::int64_t min = std::numeric_limits<std::int64_t>::min();
    std::int64_t max = std::numeric_limits<std::int64_t>::max();
    Format format = Format::none;
};

/// One field of a generated message: `Owner::fields()` returns a tuple of these in schema order.
template <class Owner, class T>
struct Field {
    using owner_type = Owner;
    using value_type = T;

    std::string_view name;
    T Owner::* member;
    std::uint16_t slot;  ///< FlatBuffers field id
    Rules rules;
    std::string_view doc;
};

/// A field of a change: left as it is, emptied, or set (JSON merge patch, RFC 7396).
template <class T>
class Patch {
  public:
    using value_type = T;
    struct Cleared {
        friend bool operator==(const Cleared&, const Cleared&) = default;
    };

    Patch() = default;
    static Patch set(T value) { return Patch(std::move(value)); }
    static Patch clear() { return Patch(Cleared{}); }

    [[nodiscard]] bool unchanged() const {
        return std::holds_alternative<std::monostate>(content_);
    }
    [[nodiscard]] bool cleared() const { return std::holds_alternative<Cleared>(content_); }
    [[nodiscard]] const T* value() const { return std::get_if<T>(&content_); }
    [[nodiscard]] T* value() { return std::get_if<T>(&content_); }

    /// `field` becomes the value, becomes empty, or stays.
    void apply_to(std::optional<T>& field) const {
        if (cleared()) field.reset();
        if (const T* set_value = value()) field = *set_value;
    }
    /// The same for a list, whose empty state is no items.
    void apply_to(T& field) const {
        if (cleared()) field = T{};
        if (const T* set_value = value()) field = *set_value;
    }

    friend bool operator==(const Patch&, const Patch&) = default;

  private:
    template <class V>
    explicit Patch(V&& value) : content_(std::forward<V>(value)) {}
    std::variant<std::monostate, Cleared, T> content_;
};

/// A generated struct: an aggregate with `fields()`.
template <class T>
concept Reflected = requires { T::fields(); };

/// A generated enum: `enum_names(E{})` gives the name of each value, in order from 0.
template <class E>
concept NamedEnum = std::is_enum_v<E> && requires(E e) {
    { enum_names(e) } -> std::convertible_to<std::span<const std::string_view>>;
};

template <NamedEnum E>
[[nodiscard]] std::string_view name_of(E value) {
    const std::span<const std::string_view> names = enum_names(value);
    const auto index = static_cast<std::size_t>(value);
    return index < names.size() ? names[index] : "unknown";
}

template <NamedEnum E>
[[nodiscard]] std::optional<E> enum_from(std::string_view name) {
    const std::span<const std::string_view> names = enum_names(E{});
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] == name) return static_cast<E>(i);
    }
    return std::nullopt;
}

/// The fields of `T`, made once by the compiler.
template <Reflected T>
inline constexpr auto fields_of = T::fields();

/// Calls `function(field)` for each field of `T`, in schema order.
template <Reflected T, class Function>
constexpr void for_each_field(Function&& function) {
    std::apply([&](const auto&... fields) { (function(fields), ...); }, fields_of<T>);
}

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};
template <class T>
struct is_pii : std::false_type {};
template <class T>
struct is_pii<Pii<T>> : std::true_type {};
template <class T>
struct is_patch : std::false_type {};
template <class T>
struct is_patch<Patch<T>> : std::true_type {};
template <class T>
struct is_id : std::false_type {};
template <class Tag>
struct is_id<Id<Tag>> : std::true_type {};

}  // namespace bos
