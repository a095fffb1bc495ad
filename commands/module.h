#pragma once

#include "schemas/base/types.h"

#include <type_traits>

namespace bos::commands {

/// The module whose list of commands holds `Command`.
template <class Command, class ModuleList>
struct module_of;
template <class Command, class First, class... Rest>
struct module_of<Command, types<First, Rest...>> {
    using type =
        typename std::conditional_t<contains_type<Command, typename First::Commands>::value,
                                    std::type_identity<First>,
                                    module_of<Command, types<Rest...>>>::type;
};

/// The state among `States` that commands and events of `Message` are about.
template <class Message, class States>
struct state_of;
template <class Message, class First, class... Rest>
struct state_of<Message, types<First, Rest...>> {
    using type = typename std::conditional_t<First::aggregate == Message::aggregate,
                                             std::type_identity<First>,
                                             state_of<Message, types<Rest...>>>::type;
};

}  // namespace bos::commands
