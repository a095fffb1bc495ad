#pragma once

#include "commands/leads.h"
#include "commands/module.h"
#include "schemas/base/types.h"

#include <variant>

namespace bos::commands {

/// Every module of the product. Adding one is one line.
using Modules = types<Leads>;

namespace detail {
template <class List>
struct commands_of;
template <class... Ms>
struct commands_of<types<Ms...>> {
    using variants = std::variant<typename Ms::Command...>;
    using states = concat_types<typename Ms::States...>;
};
}  // namespace detail

/// A command of some module: one variant per module inside one of modules, since one over all
/// messages is slow to compile.
using AnyCommand = detail::commands_of<Modules>::variants;
/// The states of all modules' aggregates.
using AllStates = detail::commands_of<Modules>::states;

}  // namespace bos::commands
