#pragma once

#include "eventstore/sealed_fields.h"
#include "projections/list.h"
#include "projections/query.h"
#include "schemas/leads.gen.h"

#include <algorithm>

namespace bos::projections::leads {

/// May the viewer see a row of a lead? What is outside of the scope answers as what does not exist.
template <class Row>
[[nodiscard]] bool visible(const Row& row, const Viewer& viewer) {
    if (viewer.scope == Scope::all || row.owner == viewer.user) return true;
    return viewer.scope == Scope::assigned &&
           std::ranges::find(row.collaborators, viewer.user) != row.collaborators.end();
}

/// A lead as it stands, or stood, if the viewer may see it today. Its personal fields are still
/// sealed. Errors: not_found, also for one outside of the viewer's scope.
[[nodiscard]] Result<bos::leads::Lead> visible_lead(const bos::leads::LeadId& id,
                                                    const QueryContext& context);

[[nodiscard]] inline StreamId stream_of(const bos::leads::LeadId& lead) {
    return {static_cast<std::uint16_t>(bos::leads::Aggregate::lead), lead.value()};
}

/// Opens the personal fields of a row of a lead.
template <class Row>
[[nodiscard]] Result<void> open_row(Row& row, const QueryContext& context) {
    return eventstore::open_fields(row, context.sealer, context.tenant(), stream_of(row.id));
}

/// For filters on personal fields of leads.
class OpenLeadFields final : public OpenPersonalOf {
  public:
    explicit OpenLeadFields(const QueryContext& context) : context_(context) {}
    [[nodiscard]] Result<std::optional<std::string>> open(
        const Uuid& row, std::string_view field, const Pii<std::string>& value) const override {
        return open_value(row, field, value);
    }
    [[nodiscard]] Result<std::optional<std::vector<std::string>>> open(
        const Uuid& row, std::string_view field,
        const Pii<std::vector<std::string>>& value) const override {
        return open_value(row, field, value);
    }

  private:
    template <class T>
    Result<std::optional<T>> open_value(const Uuid& row, std::string_view field,
                                        const Pii<T>& value) const {
        if (value.plain() != nullptr) return *value.plain();
        if (value.sealed() == nullptr) return std::nullopt;
        const auto bytes = context_.sealer.open(
            context_.tenant(), stream_of(bos::leads::LeadId(row)), field, value.sealed()->bytes);
        if (!bytes && bytes.error().code == Code::not_found) return std::nullopt;
        if (!bytes) return std::unexpected(bytes.error());
        T plain;
        if (!codec::from_plain_bytes(*bytes, plain))
            return fail(Code::corrupt, "a sealed field opens to what no field can hold");
        return plain;
    }

    const QueryContext& context_;
};

}  // namespace bos::projections::leads
