#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace bos {

/// A list of types, for the explicit lists (`Modules`, `Views`, `Handles`).
template <class... Ts>
struct types {
    static constexpr std::size_t size = sizeof...(Ts);
};

/// Calls `function.template operator()<T>()` for each type, in order.
template <class... Ts, class Function>
constexpr void for_each_type(types<Ts...>, Function&& function) {
    (function.template operator()<Ts>(), ...);
}

template <class T, class List>
struct contains_type : std::false_type {};
template <class T, class... Ts>
struct contains_type<T, types<Ts...>> : std::bool_constant<(std::is_same_v<T, Ts> || ...)> {};

template <class... Lists>
struct concatenated;
template <class... A>
struct concatenated<types<A...>> {
    using type = types<A...>;
};
template <class... A, class... B, class... Rest>
struct concatenated<types<A...>, types<B...>, Rest...> : concatenated<types<A..., B...>, Rest...> {
};
/// One list of the types of several.
template <class... Lists>
using concat_types = typename concatenated<Lists...>::type;

/// One visitor from several lambdas, for std::visit.
template <class... Fs>
struct overloaded : Fs... {
    using Fs::operator()...;
};

}  // namespace bos
