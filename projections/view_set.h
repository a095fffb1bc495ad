#pragma once

#include "projections/codec.h"
#include "projections/view.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace bos::projections {

struct ViewDescription {
    std::uint16_t id = 0;
    std::string_view name;
    std::uint32_t version = 0;
    std::size_t event_types = 0;  ///< that it hears of
};

/// Ids of the streams whose first event is in the commit.
[[nodiscard]] std::vector<Uuid> streams_begun_in(const eventstore::Commit& commit);

/// One place for each view of a set, in its order; empty = this view is not written to.
using Writers = std::span<std::optional<ViewWriter>>;

/// The views of a product, and which of them hears of which event: all derived from the views'
/// Handles.
///
/// Thread-safe: constant after construction.
class ViewSet {
  public:
    template <View... Views>
    explicit ViewSet(types<Views...> list)
        : views_{{Views::id, Views::name, Views::version, Views::Handles::size}...} {
        (learn_events<Views>(list, typename Views::Handles{}), ...);
        check_distinct();
    }

    [[nodiscard]] std::span<const ViewDescription> views() const { return views_; }

    /// Gives each event of the commit to the views that handle it and have a writer; an event is
    /// decoded once, and only if somebody listens. What cannot be decoded fails the writers.
    void apply(const eventstore::Commit& commit, const eventstore::FieldSealer& sealer,
               Writers writers) const;

  private:
    using Deliver = void (*)(std::string_view payload, const EventContext&, Writers);
    struct Route {
        std::string_view event;
        Deliver deliver = nullptr;
        std::vector<std::size_t> listeners;  // places in views_
    };

    template <class V, class... Views, class... Events>
    void learn_events(types<Views...>, types<Events...>) {
        (learn_event(Events::number, Events::wire_name, &deliver<Events, Views...>, V::id), ...);
    }
    void learn_event(std::uint16_t number, std::string_view name, Deliver deliver,
                     std::uint16_t view);
    void check_distinct() const;

    template <class Event, class... Views>
    static void deliver(std::string_view payload, const EventContext& context, Writers writers) {
        const Result<Event> event = Codec<Event>::decode(payload);
        if (!event) return refuse(Event::wire_name, context, event.error(), writers);
        std::size_t place = 0;
        (give<Views>(*event, context, writers[place++]), ...);
    }
    template <class V, class Event>
    static void give(const Event& event, const EventContext& context,
                     std::optional<ViewWriter>& writer) {
        if constexpr (contains_type<Event, typename V::Handles>::value) {
            if (writer) V{}.apply(event, context, *writer);
        }
    }
    static void refuse(std::string_view event, const EventContext& context, const Error& error,
                       Writers writers);

    std::vector<ViewDescription> views_;
    boost::unordered_flat_map<std::uint16_t, Route> routes_;
};

}  // namespace bos::projections
