#include "schemas/generator/json_schema.h"
#include "schemas/generator/model.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace bos::generator {

namespace {

namespace json = boost::json;

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
        collect_schemas(module, table, Direction::answer, used);
        if (!command) {
            used.insert(table.at("answer"));
            collect_schemas(module, *module.table(table.at("answer")), Direction::answer, used);
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
