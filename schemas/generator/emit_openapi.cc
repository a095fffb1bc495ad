#include "schemas/base/uuid.h"
#include "schemas/generator/model.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace bos::generator {

namespace {

namespace json = boost::json;

/// Bodies say null for "empty this"; answers leave empty fields out and may show erased personal
/// data.
enum class Direction { body, answer };

json::object reference(std::string_view name) {
    return {{"$ref", fmt::format("#/components/schemas/{}", name)}};
}

void add_number_range(json::object& schema, const Field& field) {
    struct Range {
        std::string_view type;
        std::int64_t min;
        std::uint64_t max;
    };
    static constexpr Range ranges[] = {
        {"std::int8_t", INT8_MIN, INT8_MAX},    {"std::uint8_t", 0, UINT8_MAX},
        {"std::int16_t", INT16_MIN, INT16_MAX}, {"std::uint16_t", 0, UINT16_MAX},
        {"std::int32_t", INT32_MIN, INT32_MAX}, {"std::uint32_t", 0, UINT32_MAX},
        {"std::int64_t", INT64_MIN, INT64_MAX}, {"std::uint64_t", 0, UINT64_MAX},
    };
    const auto* range = std::ranges::find(ranges, field.cpp_base, &Range::type);
    schema["minimum"] = field.has("min") ? std::stoll(field.attributes.at("min")) : range->min;
    if (field.has("max")) {
        schema["maximum"] = std::stoll(field.attributes.at("max"));
    } else {
        schema["maximum"] = range->max;
    }
}

void add_text_rules(json::object& schema, const Field& field) {
    if (field.has("min_length"))
        schema["minLength"] = std::stoll(field.attributes.at("min_length"));
    if (field.has("max_length"))
        schema["maxLength"] = std::stoll(field.attributes.at("max_length"));
    if (!field.has("format")) {
        schema["pattern"] = "^[^\\u0000]*$";  // read_json() refuses it everywhere
        return;
    }
    const std::string& format = field.attributes.at("format");
    if (format == "email") {
        schema["pattern"] = "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$";
    } else if (format == "phone") {
        schema["pattern"] = "^\\+[1-9][0-9]{7,14}$";
    } else if (format == "slug") {
        schema["pattern"] = "^[a-z][a-z0-9_-]*$";
    } else if (format == "currency") {
        schema["pattern"] = "^[A-Z]{3}$";
    }
}

json::object one_value(const Module& module, const Field& field) {
    json::object schema;
    switch (field.kind) {
        case Kind::boolean:
            return {{"type", "boolean"}};
        case Kind::integer:
            schema["type"] = "integer";
            add_number_range(schema, field);
            return schema;
        case Kind::text:
            if (field.has("json")) return {{"type", "object"}};
            schema["type"] = "string";
            add_text_rules(schema, field);
            return schema;
        case Kind::uuid:
            schema = {{"type", "string"}, {"format", "uuid"}};
            // "No id": validate() refuses it everywhere but in a target, which is then not found.
            if (!field.has("target")) schema["not"] = {{"const", to_string(Uuid{})}};
            return schema;
        case Kind::money:
            return reference("Money");
        case Kind::timestamp:
            return {{"type", "string"}, {"format", "date-time"}};
        case Kind::enumeration: {
            const auto found = std::ranges::find(module.enums, field.type_name, &Enum::name);
            json::array names;
            for (const EnumValue& value : found->values) names.emplace_back(value.name);
            return {{"type", "string"}, {"enum", std::move(names)}};
        }
        case Kind::table:
            return reference(field.type_name);
        case Kind::pii_text:
        case Kind::pii_texts:
            schema["type"] = "string";
            add_text_rules(schema, field);
            return schema;
    }
    return schema;
}

json::object field_schema(const Module& module, const Field& field, Direction direction) {
    json::object schema = one_value(module, field);
    if (field.vector || field.kind == Kind::pii_texts) {
        json::object list{{"type", "array"}, {"items", std::move(schema)}};
        if (field.has("max_items")) list["maxItems"] = std::stoll(field.attributes.at("max_items"));
        schema = std::move(list);
    }
    const bool personal = field.kind == Kind::pii_text || field.kind == Kind::pii_texts;
    if (personal && direction == Direction::answer) {
        schema = {{"oneOf", json::array{std::move(schema), reference("Erased")}}};
    }
    if (field.has("patch")) {
        schema = {{"anyOf", json::array{std::move(schema), json::object{{"type", "null"}}}}};
    }
    if (!field.doc.empty()) schema["description"] = field.doc;
    return schema;
}

/// Adds the table's fields, those of flat tables in their place.
void add_properties(const Module& module, const Table& table, Direction direction,
                    const std::set<std::string>& left_out, json::object& properties,
                    json::array& required) {
    for (const Field& field : table.fields) {
        if (left_out.contains(field.name)) continue;
        if (field.has("flat")) {
            add_properties(module, *module.table(field.type_name), direction, {}, properties,
                           required);
            continue;
        }
        properties[field.name] = field_schema(module, field, direction);
        if (field.must()) required.emplace_back(field.name);
    }
}

json::object object_schema(const Module& module, const Table& table, Direction direction,
                           const std::set<std::string>& left_out = {}) {
    json::object properties;
    json::array required;
    add_properties(module, table, direction, left_out, properties, required);
    json::object schema{{"type", "object"}};
    if (!table.doc.empty()) schema["description"] = table.doc;
    schema["properties"] = std::move(properties);
    if (!required.empty()) schema["required"] = std::move(required);
    schema["additionalProperties"] = false;
    return schema;
}

/// Keys and ids stand in paths. Separators cannot: the gateway refuses them even when encoded.
json::object path_parameter(const Module& module, const Field& field) {
    json::object schema = field_schema(module, field, Direction::body);
    if (field.kind == Kind::text && !field.has("format")) schema["pattern"] = "^[A-Za-z0-9_-]+$";
    return {
        {"name", field.name}, {"in", "path"}, {"required", true}, {"schema", std::move(schema)}};
}

/// Only what has a version has an ETag.
json::object answer_of(std::string_view description, std::string_view schema, bool has_version) {
    json::object headers{{"Position", json::object{{"$ref", "#/components/headers/Position"}}}};
    if (has_version) headers["ETag"] = json::object{{"$ref", "#/components/headers/ETag"}};
    return {{"description", description},
            {"headers", std::move(headers)},
            {"content",
             json::object{{"application/json", json::object{{"schema", reference(schema)}}}}}};
}

json::object common_operation(const Module& module, const Table& table, const std::string& path) {
    json::object operation;
    operation["operationId"] = fmt::format("{}.{}", module.name, kebab(table.name));
    operation["tags"] = json::array{module.name};
    operation["summary"] = table.doc.empty() ? kebab(table.name) : table.doc;
    operation["x-permission"] = table.at("permission");
    json::array parameters;
    for (const std::string& name : path_parameters(path)) {
        parameters.push_back(
            path_parameter(module, *std::ranges::find(table.fields, name, &Field::name)));
    }
    operation["parameters"] = std::move(parameters);
    return operation;
}

json::object command_operation(const Module& module, const Table& table, const std::string& path) {
    json::object operation = common_operation(module, table, path);
    auto& parameters = operation["parameters"].as_array();
    for (const char* name : {"IdempotencyKey", "IfMatch", "DryRun"}) {
        parameters.push_back(
            json::object{{"$ref", fmt::format("#/components/parameters/{}", name)}});
    }
    std::set<std::string> left_out;
    for (const std::string& name : path_parameters(path)) left_out.insert(name);
    if (table.has("creates")) left_out.insert(table.target()->name);
    json::object body = object_schema(module, table, Direction::body, left_out);
    const bool needed = body.contains("required");
    operation["requestBody"] = {
        {"required", needed},
        {"content", json::object{{"application/json", json::object{{"schema", std::move(body)}}}}}};
    json::object responses{
        {"200", answer_of("Done: durable and valid, exactly once; or the events of a dry run.",
                          "CommandResult", true)},
        {"default", json::object{{"$ref", "#/components/responses/Problem"}}}};
    if (table.has("creates"))
        responses["201"] =
            answer_of("Created: durable and valid, exactly once.", "CommandResult", true);
    operation["responses"] = std::move(responses);
    return operation;
}

json::object query_operation(const Module& module, const Table& table, const std::string& path) {
    json::object operation = common_operation(module, table, path);
    auto& parameters = operation["parameters"].as_array();
    const std::vector<std::string> in_path = path_parameters(path);
    for (const Field& field : table.fields) {
        if (std::ranges::find(in_path, field.name) != in_path.end()) continue;
        parameters.push_back(
            json::object{{"name", field.name},
                         {"in", "query"},
                         {"required", field.must()},
                         {"description", field.doc},
                         {"schema", field_schema(module, field, Direction::body)}});
    }
    for (const char* name : {"AsOf", "MinPosition"}) {
        parameters.push_back(
            json::object{{"$ref", fmt::format("#/components/parameters/{}", name)}});
    }
    const Table& answer = *module.table(table.at("answer"));
    const bool has_version =
        std::ranges::find(answer.fields, "version", &Field::name) != answer.fields.end();
    operation["responses"] = {
        {"200", answer_of("As it stands, or as it stood.", answer.name, has_version)},
        {"default", json::object{{"$ref", "#/components/responses/Problem"}}}};
    return operation;
}

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    });
    return text;
}

/// Names of the tables that bodies and answers contain, found from the routes.
void collect_schemas(const Module& module, const Table& table, std::set<std::string>& names) {
    for (const Field& field : table.fields) {
        if (field.kind != Kind::table) continue;
        const Table* contained = module.table(field.type_name);
        if (!field.has("flat")) names.insert(field.type_name);
        collect_schemas(module, *contained, names);
    }
}

}  // namespace

std::string emit_openapi(const Module& module) {
    json::object paths;
    std::set<std::string> used;
    for (const Table& table : module.tables) {
        const bool command = table.has("command");
        if (!command && !table.has("query")) continue;
        const std::string& route = table.at(command ? "command" : "query");
        const std::size_t space = route.find(' ');
        const std::string path = route.substr(space + 1);
        if (!paths.contains(path)) paths[path] = json::object{};
        paths[path].as_object()[lower(route.substr(0, space))] =
            command ? command_operation(module, table, path) : query_operation(module, table, path);
        collect_schemas(module, table, used);
        if (!command) {
            used.insert(table.at("answer"));
            collect_schemas(module, *module.table(table.at("answer")), used);
        }
    }
    json::object schemas;
    for (const std::string& name : used) {
        schemas[name] = object_schema(module, *module.table(name), Direction::answer);
    }
    return json::serialize(
        json::object{{"paths", std::move(paths)}, {"schemas", std::move(schemas)}});
}

}  // namespace bos::generator
