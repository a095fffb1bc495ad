#include "schemas/generator/json_schema.h"
#include "schemas/generator/model.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <charconv>
#include <set>

namespace bos::generator {

namespace json = boost::json;

namespace {

std::int64_t number_of(const std::string& text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

/// Paths of the personal fields in the event's FlatBuffer: profile.given_name.
void collect_personal(const Module& module, const Table& table, const std::string& before,
                      json::array& paths) {
    for (const Field& field : table.fields) {
        if (field.kind == Kind::pii_text || field.kind == Kind::pii_texts) {
            paths.emplace_back(before + field.name);
        } else if (field.kind == Kind::table) {
            collect_personal(module, *module.table(field.type_name), before + field.name + ".",
                             paths);
        }
    }
}

json::object message_of(const Module& module, const Table& table) {
    const std::string& name = table.at("event");
    json::array personal;
    collect_personal(module, table, "", personal);
    const json::object type_header{{"type", "object"},
                                   {"properties", json::object{{"ce_type", {{"const", name}}}}}};
    return {
        {"name", name},
        {"title", table.name},
        {"summary", table.doc.empty() ? kebab(table.name) : table.doc},
        {"contentType", "application/vnd.bos.flatbuffers"},
        {"headers",
         json::object{{"allOf", json::array{reference("CloudEventHeaders"), type_header}}}},
        {"payload", reference(schema_name(module, table.name, Direction::record))},
        {"x-number", number_of(table.at("number"))},
        {"x-version", number_of(name.substr(name.rfind(".v") + 2))},
        {"x-aggregate", table.at("on")},
        {"x-file", module.name + ".fbs"},
        {"x-root", fmt::format("bos.{}.{}", module.name, table.name)},
        {"x-personal", std::move(personal)},
    };
}

}  // namespace

std::string emit_asyncapi(const Module& module) {
    json::object messages;
    std::set<std::string> used;
    for (const Table& table : module.tables) {
        if (!table.has("event")) continue;
        messages[table.at("event")] = message_of(module, table);
        used.insert(table.name);
        collect_schemas(module, table, Direction::record, used);
    }
    json::object schemas;
    for (const std::string& name : used) {
        schemas[schema_name(module, name, Direction::record)] =
            object_schema(module, *module.table(name), Direction::record);
    }
    return json::serialize(
        json::object{{"messages", std::move(messages)}, {"schemas", std::move(schemas)}});
}

}  // namespace bos::generator
