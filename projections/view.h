#pragma once

#include "eventstore/commit.h"
#include "eventstore/key_store.h"
#include "projections/write_session.h"
#include "schemas/base/types.h"

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace bos::projections {

/// What surrounds the event that a view applies. Only valid during `apply`.
struct EventContext {
    const TenantId& tenant;
    Position position;
    Timestamp recorded_at;
    const Actor& actor;
    const StreamId& stream;
    Version version;          ///< of the stream, after this event
    std::uint32_t index = 0;  ///< of the event in its commit
    const eventstore::Commit& commit;
    const eventstore::FieldSealer& sealer;  ///< digests for equality look-ups of sealed fields
};

template <class V, class Event>
concept AppliesEvent =
    requires(const V view, const Event& event, const EventContext& context, ViewWriter& rows) {
        { view.apply(event, context, rows) } -> std::same_as<void>;
    };

/// Stops the compiler at the view that forgot an event, and names both.
template <class V, class Event>
struct require_apply {
    static_assert(
        AppliesEvent<V, Event>,
        "add: void apply(const Event&, const EventContext&, ViewWriter&) const for this event");
    static constexpr bool value = true;
};

template <class V, class List>
struct applies_all : std::false_type {};
template <class V, class... Events>
struct applies_all<V, types<Events...>>
    : std::bool_constant<(require_apply<V, Events>::value && ...)> {};

/// A read model: a fold of the events in its `Handles` list into rows of its own.
///
///     struct Board {
///         static constexpr std::uint16_t id = 7;             // never used again for another view
///         static constexpr std::string_view name = "leads.board";
///         static constexpr std::uint32_t version = 1;        // another one rebuilds the view
///         using Handles = types<LeadCaptured, LeadQualified>;
///         void apply(const LeadCaptured&, const EventContext&, ViewWriter&) const;
///         void apply(const LeadQualified&, const EventContext&, ViewWriter&) const;
///     };
///
/// `apply` is a pure function of the event, its context and the view's rows: no clock, no
/// randomness, no other view. What it cannot do for lack of sound rows it tells by
/// ViewWriter::fail. No row may have a key that ends with the id of a stream before the stream's
/// first event (WriteSession::begin).
template <class V>
concept View = std::is_empty_v<V> && requires {
    { V::id } -> std::convertible_to<std::uint16_t>;
    { V::name } -> std::convertible_to<std::string_view>;
    { V::version } -> std::convertible_to<std::uint32_t>;
    typename V::Handles;
} && applies_all<V, typename V::Handles>::value;

}  // namespace bos::projections
