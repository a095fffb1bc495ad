#pragma once

#include "schemas/base/result.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bos::generator {

/// What flatc's binary schema (.bfbs) says about a module, in the words of the generator.
using Attributes = std::map<std::string, std::string>;

struct EnumValue {
    std::string name;
    std::int64_t value = 0;
    std::string doc;
};

struct Enum {
    std::string name;
    std::string doc;
    Attributes attributes;
    std::string underlying;  ///< C++ type
    std::vector<EnumValue> values;
};

/// How a field is kept in C++ and shown in JSON.
enum class Kind : std::uint8_t {
    boolean,
    integer,
    text,
    uuid,
    money,
    timestamp,
    enumeration,
    table,
    pii_text,
    pii_texts
};

struct Field {
    std::string name;
    std::string doc;
    Attributes attributes;
    std::uint16_t slot = 0;
    Kind kind = Kind::boolean;
    bool vector = false;
    bool optional_scalar = false;
    bool required = false;
    std::string cpp_base;   ///< of one value: std::int32_t, LeadId, Category
    std::string type_name;  ///< of an enum or table, for OpenAPI

    [[nodiscard]] bool has(const std::string& attribute) const {
        return attributes.contains(attribute);
    }
    /// The member's whole C++ type.
    [[nodiscard]] std::string cpp_type() const;
    /// Must be there in JSON.
    [[nodiscard]] bool must() const { return required || has("must"); }
};

struct Table {
    std::string name;
    std::string doc;
    Attributes attributes;
    std::vector<Field> fields;
    std::optional<std::uint16_t> cleared_slot;  ///< where a change lists its emptied fields

    [[nodiscard]] bool has(const std::string& attribute) const {
        return attributes.contains(attribute);
    }
    [[nodiscard]] const std::string& at(const std::string& attribute) const {
        return attributes.at(attribute);
    }
    [[nodiscard]] const Field* target() const;
};

struct Module {
    std::string name;  ///< leads
    std::vector<Enum> enums;
    std::vector<Table> tables;  ///< those that others contain come first
    std::vector<std::string> id_types;

    [[nodiscard]] const Table* table(std::string_view table_name) const;
    [[nodiscard]] const Enum* with(const std::string& attribute) const;
};

/// Reads and checks a binary schema. Errors (code invalid) name the table and the rule that it
/// breaks: a message without number, permission or documentation, a name used twice, a change that
/// differs from what it changes.
[[nodiscard]] Result<Module> read_module(const std::string& bfbs);

/// leads.QualifyLead -> qualify-lead
[[nodiscard]] std::string kebab(std::string_view camel);

/// `{name}` parts of a route, in order.
[[nodiscard]] std::vector<std::string> path_parameters(std::string_view route);

/// Structs, lists, field tables: the text of <module>.gen.h.
[[nodiscard]] std::string emit_header(const Module& module);
/// One line for each template of message.h and each message: its instantiation, or with the prefix
/// "extern " the promise of one.
[[nodiscard]] std::string emit_instances(const Module& module, std::string_view prefix);
/// OpenAPI 3.1 paths and components of the module: the text of <module>.openapi.json.
[[nodiscard]] std::string emit_openapi(const Module& module);
/// AsyncAPI 3.0 messages and schemas of the module's events: the text of <module>.asyncapi.json.
[[nodiscard]] std::string emit_asyncapi(const Module& module);

}  // namespace bos::generator
