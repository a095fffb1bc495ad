#pragma once

#include "schemas/base/field.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bos::projections {

/// Opens sealed fields of the row at hand, to compare them. None = erased, or not to be opened.
class OpenPersonal {
  public:
    virtual ~OpenPersonal() = default;
    [[nodiscard]] virtual std::optional<std::string> open(std::string_view field,
                                                          const Pii<std::string>& value) const = 0;
    [[nodiscard]] virtual std::optional<std::vector<std::string>> open(
        std::string_view field, const Pii<std::vector<std::string>>& value) const = 0;
};

enum class FieldType : std::uint8_t {
    boolean,      ///< number 0 or 1
    number,       ///< number
    enumeration,  ///< number of the name
    time,         ///< number: microseconds
    text,         ///< bytes
    uuid,         ///< bytes, 16
    money,        ///< only whether it is there; its parts are fields of their own
};

/// One value of a row: a number or bytes, as its field's type says.
struct FieldValue {
    std::int64_t number = 0;
    std::string_view bytes;
};

/// Asks a value; made from any callable without a copy of it.
class ValueTest {
  public:
    template <class Test>
    explicit ValueTest(const Test& test)
        : test_(&test), ask_([](const void* asked, const FieldValue& value) {
              return (*static_cast<const Test*>(asked))(value);
          }) {}
    bool operator()(const FieldValue& value) const { return ask_(test_, value); }

  private:
    const void* test_;
    bool (*ask_)(const void*, const FieldValue&);
};

/// What a field's values said to a test.
enum class Seen : std::uint8_t {
    nothing,   ///< there is no value
    no_match,  ///< none passes
    match,     ///< one passes
    hidden,    ///< personal data that is erased
};

/// A field that filters may name.
struct FilterField {
    using Ask = Seen (*)(const void* row, const FilterField& field, const OpenPersonal* open,
                         const ValueTest& test);
    std::string name;
    FieldType type = FieldType::text;
    bool list = false;
    bool personal = false;
    std::span<const std::string_view> choices = {};  ///< of an enumeration
    Ask ask = nullptr;
};

namespace filter_field {

template <class T>
concept Scalar = std::is_same_v<T, bool> || std::is_integral_v<T> || NamedEnum<T> ||
                 std::is_same_v<T, std::string> || std::is_same_v<T, Uuid> || is_id<T>::value ||
                 std::is_same_v<T, Timestamp>;

template <Scalar T>
constexpr FieldType type_of() {
    if constexpr (std::is_same_v<T, bool>) return FieldType::boolean;
    if constexpr (NamedEnum<T>) return FieldType::enumeration;
    if constexpr (std::is_same_v<T, std::string>) return FieldType::text;
    if constexpr (std::is_same_v<T, Uuid> || is_id<T>::value) return FieldType::uuid;
    if constexpr (std::is_same_v<T, Timestamp>) return FieldType::time;
    return FieldType::number;
}

inline std::string_view bytes_of(const Uuid& uuid) {
    return {reinterpret_cast<const char*>(uuid.bytes.data()), uuid.bytes.size()};
}

template <Scalar T>
FieldValue value_of(const T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
        return {0, value};
    } else if constexpr (std::is_same_v<T, Uuid>) {
        return {0, bytes_of(value)};
    } else if constexpr (is_id<T>::value) {
        return {0, bytes_of(value.value())};
    } else if constexpr (std::is_same_v<T, Timestamp>) {
        return {micros(value), {}};
    } else if constexpr (std::is_same_v<T, std::uint64_t>) {
        constexpr std::uint64_t highest = std::numeric_limits<std::int64_t>::max();
        return {static_cast<std::int64_t>(value < highest ? value : highest), {}};
    } else {
        return {static_cast<std::int64_t>(value), {}};
    }
}

template <Scalar T>
Seen ask_value(const T& value, const FilterField&, const OpenPersonal*, const ValueTest& test) {
    return test(value_of(value)) ? Seen::match : Seen::no_match;
}

template <Scalar T>
Seen ask_value(const std::vector<T>& values, const FilterField&, const OpenPersonal*,
               const ValueTest& test) {
    if (values.empty()) return Seen::nothing;
    for (const auto& value : values) {
        if (test(value_of<T>(value))) return Seen::match;
    }
    return Seen::no_match;
}

template <class T>
Seen ask_value(const Pii<T>& value, const FilterField& field, const OpenPersonal* open,
               const ValueTest& test) {
    if (const T* plain = value.plain()) return ask_value(*plain, field, open, test);
    if (value.erased() || open == nullptr) return Seen::hidden;
    const std::optional<T> opened = open->open(field.name, value);
    return opened ? ask_value(*opened, field, open, test) : Seen::hidden;
}

/// Field number `I` of `Root`, or deeper, through tables whose fields stand among those of their
/// owner.
template <class Root, std::size_t I, std::size_t... Rest>
struct Reach {
    using Here = std::tuple_element_t<I, decltype(Root::fields())>;
    static constexpr auto member = std::get<I>(Root::fields()).member;
    template <class T>
    static const auto* unwrapped(const T& value) {
        if constexpr (is_optional<T>::value) {
            return value ? &*value : nullptr;
        } else {
            return &value;
        }
    }
    /// Null when it, or a table on the way, is absent.
    static const auto* from(const Root& root) {
        const auto* here = unwrapped(root.*member);
        if constexpr (sizeof...(Rest) == 0) {
            return here;
        } else {
            using Next = Reach<std::remove_cvref_t<decltype(*here)>, Rest...>;
            return here != nullptr ? Next::from(*here) : nullptr;
        }
    }
};

template <class Root, std::size_t... Path>
Seen ask_field(const void* row, const FilterField& field, const OpenPersonal* open,
               const ValueTest& test) {
    const auto* value = Reach<Root, Path...>::from(*static_cast<const Root*>(row));
    return value != nullptr ? ask_value(*value, field, open, test) : Seen::nothing;
}

enum class MoneyPart : std::uint8_t { whole, minor, currency };

template <class Root, MoneyPart part, std::size_t... Path>
Seen ask_money(const void* row, const FilterField&, const OpenPersonal*, const ValueTest& test) {
    const Money* money = Reach<Root, Path...>::from(*static_cast<const Root*>(row));
    if (money == nullptr) return Seen::nothing;
    const bool passes = part == MoneyPart::currency ? test(FieldValue{0, money->currency.view()})
                        : part == MoneyPart::minor  ? test(FieldValue{money->minor, {}})
                                                    : false;
    return passes ? Seen::match : Seen::no_match;
}

template <class T>
struct bare {
    using type = T;
};
template <class T>
struct bare<std::optional<T>> : bare<T> {};

template <class Root, class Owner, std::size_t... Path>
void add_fields(std::vector<FilterField>& out);

template <class Root, std::size_t... Path, class Owner, class Member>
void add_field(std::vector<FilterField>& out, const Field<Owner, Member>& field) {
    using T = typename bare<Member>::type;
    const std::string name(field.name);
    if constexpr (Reflected<T>) {
        if (field.rules.flat) add_fields<Root, T, Path...>(out);
    } else if constexpr (std::is_same_v<T, Money>) {
        using enum MoneyPart;
        out.push_back({name, FieldType::money, false, false, {}, ask_money<Root, whole, Path...>});
        out.push_back({name + ".minor",
                       FieldType::number,
                       false,
                       false,
                       {},
                       ask_money<Root, minor, Path...>});
        out.push_back({name + ".currency",
                       FieldType::text,
                       false,
                       false,
                       {},
                       ask_money<Root, currency, Path...>});
    } else if constexpr (std::is_same_v<T, Pii<std::string>>) {
        out.push_back({name, FieldType::text, false, true, {}, ask_field<Root, Path...>});
    } else if constexpr (std::is_same_v<T, Pii<std::vector<std::string>>>) {
        out.push_back({name, FieldType::text, true, true, {}, ask_field<Root, Path...>});
    } else if constexpr (Scalar<T>) {
        FilterField added{name, type_of<T>(), false, false, {}, ask_field<Root, Path...>};
        if constexpr (NamedEnum<T>) added.choices = enum_names(T{});
        out.push_back(std::move(added));
    } else if constexpr (is_vector<T>::value) {
        using Item = typename T::value_type;
        if constexpr (Scalar<Item>) {
            FilterField added{name, type_of<Item>(), true, false, {}, ask_field<Root, Path...>};
            if constexpr (NamedEnum<Item>) added.choices = enum_names(Item{});
            out.push_back(std::move(added));
        }
    }
}

template <class Root, class Owner, std::size_t... Path>
void add_fields(std::vector<FilterField>& out) {
    constexpr std::size_t count = std::tuple_size_v<decltype(Owner::fields())>;
    const auto fields = Owner::fields();
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (add_field<Root, Path..., I>(out, std::get<I>(fields)), ...);
    }(std::make_index_sequence<count>{});
}

}  // namespace filter_field

/// The fields of `Row` that filters may name, in schema order. Tables whose fields stand flat among
/// the row's are seen through; other tables, and lists of them, are not filtered.
template <Reflected Row>
[[nodiscard]] std::span<const FilterField> filter_fields() {
    static const std::vector<FilterField> fields = [] {
        std::vector<FilterField> all;
        filter_field::add_fields<Row, Row>(all);
        return all;
    }();
    return fields;
}

}  // namespace bos::projections
