#include "schemas/generator/model.h"

#include <fmt/format.h>

#include <algorithm>

namespace bos::generator {

namespace {

std::string quoted(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        result += c;
    }
    return result + '"';
}

void emit_enum(std::string& out, const Enum& item) {
    if (!item.doc.empty()) out += fmt::format("/// {}\n", item.doc);
    out += fmt::format("enum class {} : {} {{\n", item.name, item.underlying);
    for (const EnumValue& value : item.values) {
        out +=
            fmt::format("    {},{}\n", value.name, value.doc.empty() ? "" : "  ///< " + value.doc);
    }
    out += "};\n";
    out += fmt::format("inline constexpr std::array<std::string_view, {}> names_of_{}{{{{\n",
                       item.values.size(), item.name);
    for (const EnumValue& value : item.values) out += fmt::format("    {},\n", quoted(value.name));
    out += "}};\n";
    out += fmt::format(
        "constexpr std::span<const std::string_view> enum_names({}) {{ return names_of_{}; }}\n\n",
        item.name, item.name);
}

/// "409: The lead is won." -> status and sentence.
void emit_rejections(std::string& out, const Enum& item) {
    out += fmt::format("inline constexpr std::array<RejectionInfo, {}> rejection_infos{{{{\n",
                       item.values.size());
    for (const EnumValue& value : item.values) {
        const std::size_t colon = value.doc.find(": ");
        const std::string status = colon == std::string::npos ? "409" : value.doc.substr(0, colon);
        const std::string sentence =
            colon == std::string::npos ? value.doc : value.doc.substr(colon + 2);
        out += fmt::format("    {{{}, {}, {}}},\n", quoted(value.name), status, quoted(sentence));
    }
    out += "}};\n";
    out += fmt::format("constexpr const RejectionInfo& info_of({} rejection) {{\n", item.name);
    out += "    return rejection_infos[static_cast<std::size_t>(rejection)];\n}\n\n";
}

std::string rules_of(const Field& field) {
    std::string rules;
    const auto add = [&](std::string_view name, std::string_view value) {
        rules += fmt::format("{}.{} = {}", rules.empty() ? "" : ", ", name, value);
    };
    if (field.must()) add("required", "true");
    if (field.has("target")) add("target", "true");
    if (field.has("flat")) add("flat", "true");
    if (field.has("json")) add("json", "true");
    for (const char* name : {"min_length", "max_length", "max_items", "min", "max"}) {
        if (field.has(name)) add(name, field.attributes.at(name));
    }
    if (field.has("format")) add("format", "Format::" + field.attributes.at("format"));
    return fmt::format("Rules{{{}}}", rules);
}

void emit_fields(std::string& out, const Table& table) {
    out += "    static constexpr auto fields() {\n        return std::tuple{";
    bool first = true;
    for (const Field& field : table.fields) {
        out += fmt::format("{}\n            Field<{}, {}>{{{}, &{}::{}, {}, {}, {}}}",
                           first ? "" : ",", table.name, field.cpp_type(), quoted(field.name),
                           table.name, field.name, field.slot, rules_of(field), quoted(field.doc));
        first = false;
    }
    out += "};\n    }\n";
}

/// "POST /v1/leads" -> method and path.
std::pair<std::string, std::string> split_route(const std::string& route) {
    const std::size_t space = route.find(' ');
    return {route.substr(0, space), route.substr(space + 1)};
}

std::uint64_t aggregate_number(const Module& module, const std::string& name) {
    const Enum* aggregates = module.with("aggregates");
    if (aggregates == nullptr) return 0;
    const auto found = std::ranges::find(aggregates->values, name, &EnumValue::name);
    return found == aggregates->values.end() ? 0 : static_cast<std::uint64_t>(found->value);
}

void emit_message_info(std::string& out, const Module& module, const Table& table) {
    const auto constant = [&](std::string_view type, std::string_view name,
                              std::string_view value) {
        out += fmt::format("    static constexpr {} {} = {};\n", type, name, value);
    };
    constant("std::string_view", "type_name", quoted(table.name));
    if (table.has("event")) {
        const std::string& name = table.at("event");
        constant("std::string_view", "wire_name", quoted(name));
        constant("std::uint16_t", "number", table.at("number"));
        constant("std::uint16_t", "schema_version", name.substr(name.rfind(".v") + 2));
    }
    if (table.has("command")) {
        const auto [method, path] = split_route(table.at("command"));
        constant("std::string_view", "wire_name",
                 quoted(fmt::format("{}.{}", module.name, kebab(table.name))));
        constant("std::string_view", "method", quoted(method));
        constant("std::string_view", "path", quoted(path));
        constant("std::string_view", "permission", quoted(table.at("permission")));
        constant("bool", "creates", table.has("creates") ? "true" : "false");
    }
    if (table.has("query")) {
        const auto [method, path] = split_route(table.at("query"));
        constant("std::string_view", "wire_name",
                 quoted(fmt::format("{}.{}", module.name, kebab(table.name))));
        constant("std::string_view", "method", quoted(method));
        constant("std::string_view", "path", quoted(path));
        constant("std::string_view", "permission", quoted(table.at("permission")));
        out += fmt::format("    using Answer = {};\n", table.at("answer"));
    }
    if (table.has("on")) {
        constant("std::uint16_t", "aggregate",
                 fmt::format("{}", aggregate_number(module, table.at("on"))));
        constant("std::string_view", "aggregate_name", quoted(table.at("on")));
        const Field* target = table.target();
        out += fmt::format(
            "    [[nodiscard]] StreamId stream() const {{ return StreamId{{aggregate, {}}}; }}\n",
            target ? target->name + ".value()" : "Uuid{}");
    }
    if (table.has("creates")) {
        const Field* target = table.target();
        out += fmt::format("    void set_target(const Uuid& id) {{ {} = {}(id); }}\n", target->name,
                           target->cpp_base);
    }
    if (table.cleared_slot)
        constant("std::uint16_t", "cleared_slot", fmt::format("{}", *table.cleared_slot));
}

void emit_table(std::string& out, const Module& module, const Table& table) {
    if (!table.doc.empty()) out += fmt::format("/// {}\n", table.doc);
    out += fmt::format("struct {} {{\n", table.name);
    for (const Field& field : table.fields) {
        // With an initializer of its own, a field may be left out of a designated initializer.
        out += fmt::format("    {} {}{{}};{}\n", field.cpp_type(), field.name,
                           field.doc.empty() ? "" : "  ///< " + field.doc);
    }
    out += "\n";
    emit_message_info(out, module, table);
    emit_fields(out, table);
    out += fmt::format("    friend bool operator==(const {0}&, const {0}&) = default;\n}};\n\n",
                       table.name);
}

/// using Events = types<…>; using Event = std::variant<…>; the tables that have the attribute, or
/// all if it is empty.
void emit_list(std::string& out, const Module& module, const std::string& attribute,
               std::string_view list, std::string_view variant) {
    std::string names;
    for (const Table& table : module.tables) {
        if (!attribute.empty() && !table.has(attribute)) continue;
        if (!names.empty()) names += ", ";
        names += table.name;
    }
    out += fmt::format("using {} = types<{}>;\n", list, names);
    if (!variant.empty()) out += fmt::format("using {} = std::variant<{}>;\n", variant, names);
}

}  // namespace

std::string emit_instances(const Module& module, std::string_view prefix) {
    std::string out = "\n";
    const auto line = [&](std::string_view declaration) {
        out += fmt::format("{}template {};\n", prefix, declaration);
    };
    out += fmt::format("}}  // namespace bos::{}\n\nnamespace bos {{\n\n", module.name);
    for (const Table& table : module.tables) {
        const std::string type = fmt::format("{}::{}", module.name, table.name);
        line(fmt::format("std::string encode<{0}>(const {0}&)", type));
        line(fmt::format("Result<{0}> decode<{0}>(std::string_view)", type));
        line(fmt::format("void append_json<{0}>(std::string&, const {0}&, ShowPii)", type));
    }
    const bool has_events =
        std::ranges::any_of(module.tables, [](const Table& table) { return table.has("event"); });
    if (has_events) {
        line(fmt::format(
            "Result<{0}::Event> decode_numbered<{0}::Event>(std::uint16_t, std::string_view)",
            module.name));
    }
    out += fmt::format("\n}}  // namespace bos\n\nnamespace bos::{} {{\n", module.name);
    return out;
}

std::string emit_header(const Module& module) {
    std::string out =
        fmt::format("// Generated from schemas/{}.fbs.\n#pragma once\n\n", module.name);
    for (const char* header : {"array", "cstdint", "optional", "span", "string", "string_view",
                               "tuple", "variant", "vector"}) {
        out += fmt::format("#include <{}>\n", header);
    }
    out +=
        "\n#include \"schemas/base/field.h\"\n#include \"schemas/base/message.h\"\n#include "
        "\"schemas/base/position.h\"\n";
    out += "#include \"schemas/base/rejection.h\"\n#include \"schemas/base/types.h\"\n\n";
    out += fmt::format("namespace bos::{} {{\n\n", module.name);
    for (const std::string& id : module.id_types) {
        const std::string tag = id.substr(0, id.size() - 2) + "Tag";
        out += fmt::format("struct {};\nusing {} = Id<{}>;\n", tag, id, tag);
    }
    out += "\n";
    for (const Enum& item : module.enums) {
        emit_enum(out, item);
        if (item.attributes.contains("rejections")) emit_rejections(out, item);
    }
    for (const Table& table : module.tables) emit_table(out, module, table);
    emit_list(out, module, "event", "Events", "Event");
    emit_list(out, module, "command", "Commands", "Command");
    emit_list(out, module, "query", "Queries", "");
    emit_list(out, module, "", "Tables", "");
    out += emit_instances(module, "extern ");
    out += fmt::format(
        "\n/// The module's part of the OpenAPI document: an object with paths and schemas.\n");
    out += "[[nodiscard]] std::string_view openapi_fragment();\n";
    out += "[[nodiscard]] std::string_view asyncapi_fragment();\n";
    out += fmt::format("\n}}  // namespace bos::{}\n", module.name);
    return out;
}

}  // namespace bos::generator
