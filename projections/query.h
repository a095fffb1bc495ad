#pragma once

#include "eventstore/event_log.h"
#include "eventstore/key_store.h"
#include "projections/view_reader.h"
#include "schemas/base/actor.h"
#include "schemas/base/tenant.h"
#include "schemas/base/time.h"

#include <optional>
#include <string>

namespace bos::projections {

/// Who looks, and how far: a query reads only what stands under this scope.
struct Viewer {
    UserId user;
    Scope scope = Scope::own;
};

/// What a query reads: one consistent cut of a tenant's views, at the head or in the past. A module
/// answers with
///
///     Result<Board> answer(const GetBoard& query, const QueryContext& context);
///
/// Errors: not_found; invalid = a parameter that cannot be right, with its name in front;
/// unavailable.
struct QueryContext {
    const ViewReader& reader;
    std::optional<Position> as_of;  ///< what the reader was opened for; none = the head
    Viewer viewer;
    const eventstore::FieldSealer& sealer;
    const eventstore::EventLog& log;
    const std::string& secret;  ///< the tenant's, for cursors
    Timestamp now;

    [[nodiscard]] const TenantId& tenant() const { return reader.tenant(); }
    /// What a narrower scope sees of the past is decided by how things stand today (design.md 6).
    [[nodiscard]] bool todays_rows() const { return as_of && viewer.scope != Scope::all; }
};

}  // namespace bos::projections
