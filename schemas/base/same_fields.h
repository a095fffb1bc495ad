#pragma once

#include "schemas/base/field.h"

#include <tuple>
#include <utility>

namespace bos {

/// Sets each field of `to` that has a field of the same name and type in `from` (an optional field
/// also from one that is always there). What has no counterpart stays. For messages that carry the
/// same facts: a command and its event, an event and its row.
template <Reflected From, Reflected To>
void copy_same_fields(const From& from, To& to) {
    for_each_field<To>([&](const auto& target) {
        for_each_field<From>([&](const auto& source) {
            using Target = typename std::remove_cvref_t<decltype(target)>::value_type;
            using Source = typename std::remove_cvref_t<decltype(source)>::value_type;
            if constexpr (std::is_same_v<Target, Source> ||
                          std::is_same_v<Target, std::optional<Source>>) {
                if (target.name == source.name) to.*target.member = from.*source.member;
            }
        });
    });
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
