#include "tests/schemas/released_schema.h"

#include <doctest/doctest.h>
#include <flatbuffers/reflection_generated.h>
#include <fmt/format.h>

#include <set>

namespace bos::test {

namespace {

const reflection::Schema& schema_in(const std::string& bfbs) {
    flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(bfbs.data()), bfbs.size());
    REQUIRE(reflection::VerifySchemaBuffer(verifier));
    return *reflection::GetSchema(bfbs.data());
}

std::string attribute(const reflection::Object& table, const char* name) {
    if (table.attributes() == nullptr) return {};
    const auto* found = table.attributes()->LookupByKey(name);
    return found == nullptr ? "" : found->value()->str();
}

const reflection::Field* field_with(const reflection::Object& table, std::uint16_t id) {
    for (const auto* field : *table.fields()) {
        if (field->id() == id) return field;
    }
    return nullptr;
}

class Comparison {
  public:
    Comparison(const reflection::Schema& released, const reflection::Schema& current)
        : released_(released), current_(current) {}

    std::vector<std::string> run() {
        for (const auto* table : *released_.objects()) {
            if (!attribute(*table, "event").empty()) compare(*table);
        }
        return std::move(found_);
    }

  private:
    void compare(const reflection::Object& before) {
        const std::string name = before.name()->str();
        if (before.is_struct() || !seen_.insert(name).second) return;
        const auto* after = current_.objects()->LookupByKey(name.c_str());
        if (after == nullptr) return tell(name, "is gone");
        for (const char* fixed : {"event", "number", "on"}) {
            if (attribute(before, fixed) != attribute(*after, fixed))
                tell(name, fmt::format("has another {}", fixed));
        }
        for (const auto* field : *before.fields())
            compare(name, *field, field_with(*after, field->id()));
        for (const auto* field : *after->fields()) {
            const bool added = field_with(before, field->id()) == nullptr;
            if (added && field->required())
                tell(name + "." + field->name()->str(), "is new and required");
        }
    }

    void compare(const std::string& table, const reflection::Field& before,
                 const reflection::Field* after) {
        const std::string name = table + "." + before.name()->str();
        if (after == nullptr || after->deprecated()) return tell(name, "is gone");
        if (after->name()->str() != before.name()->str()) tell(name, "has another name");
        if (after->required() && !before.required()) tell(name, "became required");
        const bool scalar = before.type()->base_type() <= reflection::BaseType::Double;
        if (scalar && after->optional() != before.optional())
            tell(name, "changed whether it may be absent");
        const auto& type = *before.type();
        const auto& new_type = *after->type();
        if (type.base_type() != new_type.base_type() || type.element() != new_type.element()) {
            return tell(name, "has another type");
        }
        const bool table_inside = type.base_type() == reflection::BaseType::Obj ||
                                  type.element() == reflection::BaseType::Obj;
        if (table_inside)
            compare(*released_.objects()->Get(static_cast<flatbuffers::uoffset_t>(type.index())));
        if (!table_inside && type.index() >= 0) {
            compare(*released_.enums()->Get(static_cast<flatbuffers::uoffset_t>(type.index())));
        }
    }

    void compare(const reflection::Enum& before) {
        const std::string name = before.name()->str();
        if (!seen_.insert(name).second) return;
        const auto* after = current_.enums()->LookupByKey(name.c_str());
        if (after == nullptr) return tell(name, "is gone");
        for (const auto* value : *before.values()) {
            const auto* same = after->values()->LookupByKey(value->value());
            if (same == nullptr || same->name()->str() != value->name()->str()) {
                tell(name + "." + value->name()->str(), "has another number or is gone");
            }
        }
    }

    void tell(const std::string& what, const std::string& how) {
        found_.push_back(what + " " + how);
    }

    const reflection::Schema& released_;
    const reflection::Schema& current_;
    std::set<std::string> seen_;
    std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> breaks(const std::string& released, const std::string& current) {
    return Comparison(schema_in(released), schema_in(current)).run();
}

}  // namespace bos::test
