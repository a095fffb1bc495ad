#pragma once

#include "schemas/generator/model.h"

#include <boost/json.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace bos::generator {

/// Where a table's fields are shown. Bodies say null for "empty this"; answers leave empty fields
/// out and may show erased personal data; records are what the log has: nothing stands flat, and
/// personal data is sealed bytes.
enum class Direction : std::uint8_t { body, answer, record };

/// {"$ref": …} to a schema that all documents have.
[[nodiscard]] boost::json::object reference(std::string_view name);
/// What a module's table is called among a document's schemas. Records of all modules stand in one
/// document, so theirs have the module before them.
[[nodiscard]] std::string schema_name(const Module& module, std::string_view table,
                                      Direction direction);

/// JSON Schema 2020-12 of one field, and of a table without the fields `left_out`.
[[nodiscard]] boost::json::object field_schema(const Module& module, const Field& field,
                                               Direction direction);
[[nodiscard]] boost::json::object object_schema(const Module& module, const Table& table,
                                                Direction direction,
                                                const std::set<std::string>& left_out = {});

/// Adds the names of the tables that `table` contains, at any depth; flat ones only where they are
/// shown.
void collect_schemas(const Module& module, const Table& table, Direction direction,
                     std::set<std::string>& names);

}  // namespace bos::generator
