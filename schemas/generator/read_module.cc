#include "schemas/generator/model.h"

#include <flatbuffers/reflection_generated.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

namespace bos::generator {

namespace {

std::string after_dot(std::string_view full_name) {
    return std::string(full_name.substr(full_name.rfind('.') + 1));
}

std::string namespace_of(std::string_view full_name) {
    return std::string(full_name.substr(0, full_name.rfind('.')));
}

template <class Documented>
std::string doc_of(const Documented* item) {
    std::string doc;
    if (item->documentation() == nullptr) return doc;
    for (const auto* line : *item->documentation()) {
        std::string_view text = line->string_view();
        if (text.starts_with(' ')) text.remove_prefix(1);
        if (!doc.empty()) doc += ' ';
        doc += text;
    }
    return doc;
}

template <class Attributed>
Attributes attributes_of(const Attributed* item) {
    Attributes attributes;
    if (item->attributes() == nullptr) return attributes;
    for (const auto* entry : *item->attributes()) {
        attributes[entry->key()->str()] = entry->value() ? entry->value()->str() : "";
    }
    return attributes;
}

Result<std::string> integer_type(reflection::BaseType type) {
    switch (type) {
        case reflection::BaseType::Byte:
            return "std::int8_t";
        case reflection::BaseType::UByte:
            return "std::uint8_t";
        case reflection::BaseType::Short:
            return "std::int16_t";
        case reflection::BaseType::UShort:
            return "std::uint16_t";
        case reflection::BaseType::Int:
            return "std::int32_t";
        case reflection::BaseType::UInt:
            return "std::uint32_t";
        case reflection::BaseType::Long:
            return "std::int64_t";
        case reflection::BaseType::ULong:
            return "std::uint64_t";
        default:
            return fail(Code::invalid,
                        "only integers, bool, text, ids, money, enums and tables are allowed");
    }
}

class Reader {
  public:
    explicit Reader(const reflection::Schema& schema) : schema_(schema) {}

    Result<Module> read() {
        BOS_CHECK(find_module());
        for (const auto* item : *schema_.enums()) {
            if (namespace_of(item->name()->string_view()) == namespace_)
                BOS_CHECK(read_enum(*item));
        }
        for (const auto* item : *schema_.objects()) {
            if (namespace_of(item->name()->string_view()) != namespace_) continue;
            BOS_CHECK(read_table(*item));
        }
        order_tables();
        BOS_CHECK(check());
        return std::move(module_);
    }

  private:
    Result<void> find_module() {
        std::set<std::string> namespaces;
        for (const auto* item : *schema_.objects()) {
            const std::string space = namespace_of(item->name()->string_view());
            if (space.starts_with("bos.") && space != "bos.base") namespaces.insert(space);
        }
        if (namespaces.size() != 1) {
            return fail(
                Code::invalid,
                "a schema declares the tables of exactly one module (namespace bos.<module>)");
        }
        namespace_ = *namespaces.begin();
        module_.name = after_dot(namespace_);
        return {};
    }

    Result<void> read_enum(const reflection::Enum& item) {
        Enum result{.name = after_dot(item.name()->string_view()),
                    .doc = doc_of(&item),
                    .attributes = attributes_of(&item),
                    .underlying = {},
                    .values = {}};
        BOS_TRY(result.underlying, integer_type(item.underlying_type()->base_type()));
        for (const auto* value : *item.values()) {
            result.values.push_back({value->name()->str(), value->value(), doc_of(value)});
        }
        std::ranges::sort(result.values, {}, &EnumValue::value);
        for (std::size_t i = 0; i < result.values.size(); ++i) {
            if (result.values[i].value != static_cast<std::int64_t>(i)) {
                return fail(Code::invalid,
                            fmt::format("enum {}: values count from 0 without gaps", result.name));
            }
        }
        module_.enums.push_back(std::move(result));
        return {};
    }

    Result<void> read_table(const reflection::Object& object) {
        Table table{.name = after_dot(object.name()->string_view()),
                    .doc = doc_of(&object),
                    .attributes = attributes_of(&object),
                    .fields = {},
                    .cleared_slot = std::nullopt};
        if (object.is_struct()) {
            return fail(
                Code::invalid,
                fmt::format("{}: modules declare tables; structs are in base.fbs", table.name));
        }
        std::vector<const reflection::Field*> fields(object.fields()->begin(),
                                                     object.fields()->end());
        std::ranges::sort(fields, {}, [](const auto* field) { return field->id(); });
        for (const auto* field : fields) {
            if (field->name()->str() == "cleared" && table.has("patch_of")) {
                table.cleared_slot = field->id();
                continue;
            }
            auto read = read_field(*field);
            if (!read) {
                return fail(Code::invalid, fmt::format("{}.{}: {}", table.name,
                                                       field->name()->str(), read.error().detail));
            }
            table.fields.push_back(*std::move(read));
        }
        module_.tables.push_back(std::move(table));
        return {};
    }

    Result<Field> read_field(const reflection::Field& raw) {
        Field field;
        field.name = raw.name()->str();
        field.doc = doc_of(&raw);
        field.attributes = attributes_of(&raw);
        field.slot = raw.id();
        field.required = raw.required();
        field.optional_scalar = raw.optional();
        if (raw.default_integer() != 0)
            return fail(Code::invalid, "defaults other than 0 are not kept");

        const reflection::Type& type = *raw.type();
        reflection::BaseType base = type.base_type();
        if (base == reflection::BaseType::Vector) {
            field.vector = true;
            base = type.element();
        }
        if (field.has("pii")) return read_pii(field, base);
        if (base == reflection::BaseType::Obj) return read_object(field, type.index());
        if (base == reflection::BaseType::String) {
            field.kind = Kind::text;
            field.cpp_base = "std::string";
            return field;
        }
        if (base == reflection::BaseType::Bool) {
            field.kind = Kind::boolean;
            field.cpp_base = "bool";
            return field;
        }
        if (type.index() >= 0) {
            const auto* named =
                schema_.enums()->Get(static_cast<flatbuffers::uoffset_t>(type.index()));
            field.kind = Kind::enumeration;
            field.type_name = after_dot(named->name()->string_view());
            field.cpp_base = field.type_name;
            return field;
        }
        if (field.has("timestamp")) {
            if (base != reflection::BaseType::Long)
                return fail(Code::invalid, "a timestamp is a long");
            field.kind = Kind::timestamp;
            field.cpp_base = "Timestamp";
            return field;
        }
        field.kind = Kind::integer;
        BOS_TRY(field.cpp_base, integer_type(base));
        return field;
    }

    static Result<Field> read_pii(Field& field, reflection::BaseType base) {
        if (!field.vector || base != reflection::BaseType::UByte) {
            return fail(Code::invalid,
                        "personal data is declared [ubyte], since sealed bytes are not text");
        }
        field.vector = false;
        const std::string& shape = field.attributes.at("pii");
        if (shape != "text" && shape != "texts")
            return fail(Code::invalid, "pii is \"text\" or \"texts\"");
        field.kind = shape == "text" ? Kind::pii_text : Kind::pii_texts;
        field.cpp_base = shape == "text" ? "Pii<std::string>" : "Pii<std::vector<std::string>>";
        return field;
    }

    Result<Field> read_object(Field& field, std::int32_t index) {
        const auto* object = schema_.objects()->Get(static_cast<flatbuffers::uoffset_t>(index));
        const std::string full_name = object->name()->str();
        if (full_name == "bos.base.Uuid") {
            field.kind = Kind::uuid;
            field.cpp_base = field.has("strong") ? field.attributes.at("strong") : "Uuid";
            if (field.has("strong")) remember_id(field.cpp_base);
            return field;
        }
        if (full_name == "bos.base.Money") {
            field.kind = Kind::money;
            field.cpp_base = "Money";
            return field;
        }
        if (namespace_of(full_name) != namespace_)
            return fail(Code::invalid, "tables of other modules are not contained");
        field.kind = Kind::table;
        field.type_name = after_dot(full_name);
        field.cpp_base = field.type_name;
        return field;
    }

    void remember_id(const std::string& name) {
        const bool elsewhere = name == "UserId" || name.find("::") != std::string::npos;
        if (!elsewhere && std::ranges::find(module_.id_types, name) == module_.id_types.end()) {
            module_.id_types.push_back(name);
        }
    }

    /// Contained tables and answers before those that name them, otherwise by name, so that the
    /// output is stable.
    void order_tables() {
        std::ranges::sort(module_.tables, {}, &Table::name);
        std::ranges::sort(module_.id_types);
        std::ranges::sort(module_.enums, {}, &Enum::name);
        std::vector<Table> ordered;
        std::set<std::string> placed;
        std::function<void(const Table&)> place = [&](const Table& table) {
            if (!placed.insert(table.name).second) return;
            for (const Field& field : table.fields) {
                if (field.kind != Kind::table) continue;
                if (const Table* contained = module_.table(field.type_name)) place(*contained);
            }
            if (table.has("answer")) {
                if (const Table* answer = module_.table(table.at("answer"))) place(*answer);
            }
            ordered.push_back(table);
        };
        for (const Table& table : module_.tables) place(table);
        module_.tables = std::move(ordered);
    }

    Result<void> check() const {
        std::set<std::string> wire_names;
        std::set<std::string> routes;
        for (const Table& table : module_.tables) {
            const auto broken = [&](std::string_view rule) {
                return fail(Code::invalid, fmt::format("{}: {}", table.name, rule));
            };
            if (table.has("event")) {
                if (!table.has("number")) return broken("an event has a number");
                if (!table.has("on")) return broken("an event names its aggregate (on)");
                if (!wire_names.insert(table.at("event")).second ||
                    !wire_names.insert(table.at("number")).second) {
                    return broken("event names and numbers are used once");
                }
                if (table.at("event").find(".v") == std::string::npos)
                    return broken("an event's name ends in its version");
            }
            if (table.has("command") || table.has("query")) {
                if (!table.has("permission")) return broken("a command or query has a permission");
                const std::string& route = table.at(table.has("command") ? "command" : "query");
                if (!routes.insert(route).second) return broken("a route is used once");
                for (const std::string& parameter : path_parameters(route)) {
                    if (std::ranges::find(table.fields, parameter, &Field::name) ==
                        table.fields.end()) {
                        return broken("the route names a field that is not there");
                    }
                }
            }
            if (table.has("command") && !table.has("on"))
                return broken("a command names its aggregate (on)");
            if (table.has("on") && !is_aggregate(table.at("on"))) {
                return broken("on names a value of the enum that lists the aggregates");
            }
            if (table.has("creates") && table.target() == nullptr)
                return broken("what creates names its target");
            if (table.has("query")) {
                if (!table.has("answer")) return broken("a query names its answer");
                if (module_.table(table.at("answer")) == nullptr)
                    return broken("the answer is not a table");
            }
            BOS_CHECK(check_change(table));
            if (table.doc.empty() && !table.has("event") && !table.has("command") &&
                !table.has("query") && table.name.ends_with("State")) {
                return broken("a state is documented");
            }
        }
        return {};
    }

    bool is_aggregate(const std::string& name) const {
        const Enum* aggregates = module_.with("aggregates");
        return aggregates != nullptr &&
               std::ranges::find(aggregates->values, name, &EnumValue::name) !=
                   aggregates->values.end();
    }

    /// A change has the fields of what it changes, in the same order, with the same slots.
    Result<void> check_change(const Table& change) const {
        if (!change.has("patch_of")) return {};
        const Table* changed = module_.table(change.at("patch_of"));
        if (changed == nullptr)
            return fail(Code::invalid, fmt::format("{}: patch_of names no table", change.name));
        if (!change.cleared_slot)
            return fail(Code::invalid,
                        fmt::format("{}: a change has a field cleared:[ushort]", change.name));
        if (change.fields.size() != changed->fields.size()) {
            return fail(Code::invalid,
                        fmt::format("{} and {} have different fields", change.name, changed->name));
        }
        for (std::size_t i = 0; i < change.fields.size(); ++i) {
            const Field& patch = change.fields[i];
            const Field& field = changed->fields[i];
            if (patch.name != field.name || patch.cpp_base != field.cpp_base ||
                patch.vector != field.vector || patch.slot != field.slot || !patch.has("patch")) {
                return fail(Code::invalid, fmt::format("{}.{} differs from {}.{}", change.name,
                                                       patch.name, changed->name, field.name));
            }
        }
        return {};
    }

    const reflection::Schema& schema_;
    std::string namespace_;
    Module module_;
};

}  // namespace

std::string Field::cpp_type() const {
    const std::string value = vector ? fmt::format("std::vector<{}>", cpp_base) : cpp_base;
    if (has("patch")) return fmt::format("Patch<{}>", value);
    if (vector) return value;
    const bool scalar = kind == Kind::boolean || kind == Kind::integer || kind == Kind::timestamp ||
                        kind == Kind::enumeration;
    const bool optional = scalar ? optional_scalar : !required;
    return optional ? fmt::format("std::optional<{}>", value) : value;
}

const Field* Table::target() const {
    const auto found =
        std::ranges::find_if(fields, [](const Field& field) { return field.has("target"); });
    return found == fields.end() ? nullptr : &*found;
}

const Table* Module::table(std::string_view table_name) const {
    const auto found = std::ranges::find(tables, table_name, &Table::name);
    return found == tables.end() ? nullptr : &*found;
}

const Enum* Module::with(const std::string& attribute) const {
    const auto found = std::ranges::find_if(
        enums, [&](const Enum& item) { return item.attributes.contains(attribute); });
    return found == enums.end() ? nullptr : &*found;
}

Result<Module> read_module(const std::string& bfbs) {
    flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(bfbs.data()), bfbs.size());
    if (!reflection::VerifySchemaBuffer(verifier))
        return fail(Code::corrupt, "not a binary schema of flatc");
    return Reader(*reflection::GetSchema(bfbs.data())).read();
}

std::string kebab(std::string_view camel) {
    std::string text;
    for (const char c : camel) {
        if (c >= 'A' && c <= 'Z') {
            if (!text.empty()) text += '-';
            text += static_cast<char>(c - 'A' + 'a');
        } else {
            text += c;
        }
    }
    return text;
}

std::vector<std::string> path_parameters(std::string_view route) {
    std::vector<std::string> names;
    for (std::size_t open = route.find('{'); open != std::string_view::npos;
         open = route.find('{', open + 1)) {
        const std::size_t close = route.find('}', open);
        if (close == std::string_view::npos) break;
        names.emplace_back(route.substr(open + 1, close - open - 1));
    }
    return names;
}

}  // namespace bos::generator
