#pragma once

#include "schemas/base/field.h"

#include <string_view>
#include <vector>

namespace bos {

namespace pii_walking {

// All declared before any is defined: a call inside one template finds the others only so (they are
// not in the namespaces of their arguments).
template <class T, class Function>
void visit(T&, std::string_view, Function&) {}
template <class T, class Function>
void visit(Pii<T>& personal, std::string_view name, Function& function);
template <Reflected T, class Function>
void visit(T& table, std::string_view, Function& function);
template <class T, class Function>
void visit(std::optional<T>& value, std::string_view name, Function& function);
template <class T, class Function>
void visit(Patch<T>& patch, std::string_view name, Function& function);
template <class T, class Function>
void visit(std::vector<T>& items, std::string_view name, Function& function);

template <class T, class Function>
void visit(Pii<T>& personal, std::string_view name, Function& function) {
    function(name, personal);
}
template <Reflected T, class Function>
void visit(T& table, std::string_view, Function& function) {
    for_each_field<T>([&](const auto& field) { visit(table.*field.member, field.name, function); });
}
template <class T, class Function>
void visit(std::optional<T>& value, std::string_view name, Function& function) {
    if (value) visit(*value, name, function);
}
template <class T, class Function>
void visit(Patch<T>& patch, std::string_view name, Function& function) {
    if (T* value = patch.value()) visit(*value, name, function);
}
template <class T, class Function>
void visit(std::vector<T>& items, std::string_view name, Function& function) {
    for (T& item : items) visit(item, name, function);
}

}  // namespace pii_walking

/// Calls `function(field name, Pii<X>&)` for each personal field that is there, also inside
/// contained tables. The name is that of the field itself, so a value keeps its name on its way
/// from a command to an event to a row.
template <Reflected T, class Function>
void for_each_pii(T& message, Function&& function) {
    pii_walking::visit(message, {}, function);
}

}  // namespace bos
