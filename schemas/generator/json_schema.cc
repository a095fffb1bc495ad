#include "schemas/generator/json_schema.h"

#include "schemas/base/uuid.h"

#include <fmt/format.h>

#include <algorithm>

namespace bos::generator {

namespace json = boost::json;

namespace {

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

json::object one_value(const Module& module, const Field& field, Direction direction) {
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
            return reference(schema_name(module, field.type_name, direction));
        case Kind::pii_text:
        case Kind::pii_texts:
            schema["type"] = "string";
            add_text_rules(schema, field);
            return schema;
    }
    return schema;
}

/// A list of texts is sealed as one.
json::object sealed_schema(const Field& field) {
    json::object schema{{"type", "string"},
                        {"contentEncoding", "base64"},
                        {"description", "Personal data, sealed."},
                        {"x-personal", true}};
    if (!field.doc.empty()) schema["description"] = field.doc + " Personal data, sealed.";
    return schema;
}

json::object cleared_schema() {
    return {{"type", "array"},
            {"items", json::object{{"type", "integer"}, {"minimum", 0}, {"maximum", UINT16_MAX}}},
            {"description", "Slots of the fields that were emptied."}};
}

}  // namespace

json::object reference(std::string_view name) {
    return {{"$ref", fmt::format("#/components/schemas/{}", name)}};
}

std::string schema_name(const Module& module, std::string_view table, Direction direction) {
    return direction == Direction::record ? fmt::format("{}.{}", module.name, table)
                                          : std::string(table);
}

json::object field_schema(const Module& module, const Field& field, Direction direction) {
    const bool personal = field.kind == Kind::pii_text || field.kind == Kind::pii_texts;
    if (personal && direction == Direction::record) return sealed_schema(field);
    json::object schema = one_value(module, field, direction);
    if (field.vector || field.kind == Kind::pii_texts) {
        json::object list{{"type", "array"}, {"items", std::move(schema)}};
        if (field.has("max_items")) list["maxItems"] = std::stoll(field.attributes.at("max_items"));
        schema = std::move(list);
    }
    if (personal && direction == Direction::answer) {
        schema = {{"oneOf", json::array{std::move(schema), reference("Erased")}}};
    }
    if (field.has("patch") && direction != Direction::record) {
        schema = {{"anyOf", json::array{std::move(schema), json::object{{"type", "null"}}}}};
    }
    if (!field.doc.empty()) schema["description"] = field.doc;
    return schema;
}

namespace {

/// Adds the table's fields, those of flat tables in their place.
void add_properties(const Module& module, const Table& table, Direction direction,
                    const std::set<std::string>& left_out, json::object& properties,
                    json::array& required) {
    for (const Field& field : table.fields) {
        if (left_out.contains(field.name)) continue;
        if (field.has("flat") && direction != Direction::record) {
            add_properties(module, *module.table(field.type_name), direction, {}, properties,
                           required);
            continue;
        }
        properties[field.name] = field_schema(module, field, direction);
        if (field.must()) required.emplace_back(field.name);
    }
}

}  // namespace

json::object object_schema(const Module& module, const Table& table, Direction direction,
                           const std::set<std::string>& left_out) {
    json::object properties;
    json::array required;
    add_properties(module, table, direction, left_out, properties, required);
    json::object schema{{"type", "object"}};
    if (!table.doc.empty()) schema["description"] = table.doc;
    if (table.cleared_slot && direction == Direction::record)
        properties["cleared"] = cleared_schema();
    schema["properties"] = std::move(properties);
    if (!required.empty()) schema["required"] = std::move(required);
    // Readers of the log pass over fields that are newer than they are.
    if (direction != Direction::record) schema["additionalProperties"] = false;
    return schema;
}

void collect_schemas(const Module& module, const Table& table, Direction direction,
                     std::set<std::string>& names) {
    for (const Field& field : table.fields) {
        if (field.kind != Kind::table) continue;
        const Table* contained = module.table(field.type_name);
        if (!field.has("flat") || direction == Direction::record) names.insert(field.type_name);
        collect_schemas(module, *contained, direction, names);
    }
}

}  // namespace bos::generator
