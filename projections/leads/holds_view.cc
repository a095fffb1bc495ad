#include "projections/leads/holds_view.h"

namespace bos::projections::leads {

using namespace bos::leads;  // NOLINT: the module's vocabulary in the module's views

void HoldsView::apply(const LeadHeld& event, const EventContext&, ViewWriter& rows) const {
    end_hold(event.lead, rows);
    if (event.held_until) begin_hold({event.lead, *event.held_until, event.generation}, rows);
}

void HoldsView::apply(const LeadHoldChanged& event, const EventContext&, ViewWriter& rows) const {
    end_hold(event.lead, rows);
    if (event.held_until) begin_hold({event.lead, *event.held_until, event.generation}, rows);
}

void HoldsView::apply(const LeadResumed& event, const EventContext&, ViewWriter& rows) const {
    end_hold(event.lead, rows);
}

void HoldsView::apply(const LeadDisqualified& event, const EventContext&, ViewWriter& rows) const {
    end_hold(event.lead, rows);
}

void HoldsView::apply(const LeadArchived& event, const EventContext&, ViewWriter& rows) const {
    if (const auto hold = Held::get(rows, event.lead))
        Due::erase(rows, {hold->held_until, hold->lead});
}

void HoldsView::apply(const LeadRestored& event, const EventContext&, ViewWriter& rows) const {
    if (const auto hold = Held::get(rows, event.lead))
        Due::put(rows, {hold->held_until, hold->lead}, *hold);
}

void HoldsView::begin_hold(const Hold& hold, ViewWriter& rows) {
    Due::put(rows, {hold.held_until, hold.lead}, hold);
    Held::put(rows, hold.lead, hold);
}

void HoldsView::end_hold(LeadId lead, ViewWriter& rows) {
    const std::optional<Hold> hold = Held::get(rows, lead);
    if (!hold) return;
    Due::erase(rows, {hold->held_until, lead});
    Held::erase(rows, lead);
}

}  // namespace bos::projections::leads
