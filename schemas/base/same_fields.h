#pragma once

#include "schemas/base/field.h"

#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace bos {

namespace same_fields {

inline constexpr std::size_t none = static_cast<std::size_t>(-1);

template <class Target, class Source>
concept TakenFrom = std::is_same_v<Target, Source> || std::is_same_v<Target, std::optional<Source>>;

/// Which field of `From` the field `number` of `To` is set from.
template <Reflected From, Reflected To, std::size_t number>
consteval std::size_t source_of() {
    constexpr const auto& target = std::get<number>(fields_of<To>);
    using Target = typename std::remove_cvref_t<decltype(target)>::value_type;
    std::size_t found = none;
    std::size_t place = 0;
    for_each_field<From>([&](const auto& source) {
        using Source = typename std::remove_cvref_t<decltype(source)>::value_type;
        if (TakenFrom<Target, Source> && source.name == target.name) found = place;
        ++place;
    });
    return found;
}

template <Reflected From, Reflected To, std::size_t number>
void copy(const From& from, To& to) {
    constexpr std::size_t source = source_of<From, To, number>();
    if constexpr (source != none) {
        to.*std::get<number>(fields_of<To>).member = from.*std::get<source>(fields_of<From>).member;
    }
}

}  // namespace same_fields

/// Sets each field of `to` that has a field of the same name and type in `from` (an optional field
/// also from one that is always there). What has no counterpart stays. For messages that carry the
/// same facts: a command and its event, an event and its row.
template <Reflected From, Reflected To>
void copy_same_fields(const From& from, To& to) {
    constexpr std::size_t count = std::tuple_size_v<std::remove_cvref_t<decltype(fields_of<To>)>>;
    [&]<std::size_t... number>(std::index_sequence<number...>) {
        (same_fields::copy<From, To, number>(from, to), ...);
    }(std::make_index_sequence<count>{});
}

/// Calls `function(Patch<X>&, field of the same name)` for each field of a change and of what it
/// changes: the generator has checked that both have the same fields in the same order.
template <Reflected Change, Reflected Changed, class Function>
void for_each_patch(Change& change, Changed& changed, Function&& function) {
    using Patches = std::remove_const_t<Change>;
    using Fields = std::remove_const_t<Changed>;
    constexpr std::size_t count = std::tuple_size_v<decltype(Fields::fields())>;
    static_assert(std::tuple_size_v<decltype(Patches::fields())> == count);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        constexpr auto patches = Patches::fields();
        constexpr auto fields = Fields::fields();
        (function(change.*std::get<I>(patches).member, changed.*std::get<I>(fields).member), ...);
    }(std::make_index_sequence<count>{});
}

/// Applies a change to what it changes.
template <Reflected Change, Reflected Changed>
void apply_change(const Change& change, Changed& changed) {
    for_each_patch(change, changed, [](const auto& patch, auto& field) { patch.apply_to(field); });
}

}  // namespace bos
