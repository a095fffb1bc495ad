#pragma once

#include "projections/table.h"
#include "projections/view.h"
#include "schemas/leads.gen.h"

namespace bos::projections::leads {

/// The leads on hold that resume by themselves, in the order of their times: what the timers ask.
/// They ask for now, so nothing here has a past.
///
///     table 0   held_until i64 | lead -> Hold; not those of archived leads
///     table 1   lead -> Hold
struct HoldsView {
    static constexpr std::uint16_t id = 4;
    static constexpr std::string_view name = "leads.holds";
    static constexpr std::uint32_t version = 3;
    using Handles =
        types<bos::leads::LeadHeld, bos::leads::LeadHoldChanged, bos::leads::LeadResumed,
              bos::leads::LeadDisqualified, bos::leads::LeadArchived, bos::leads::LeadRestored>;

    struct DueKey {
        Timestamp at;
        bos::leads::LeadId lead;
    };
    friend void append_key(KeyWriter& writer, const DueKey& key) {
        writer.i64(micros(key.at)).uuid(key.lead.value());
    }
    using Due = Table<HoldsView, 0, DueKey, bos::leads::Hold, Past::none>;
    using Held = Table<HoldsView, 1, bos::leads::LeadId, bos::leads::Hold, Past::none>;

    void apply(const bos::leads::LeadHeld& event, const EventContext& context,
               ViewWriter& rows) const;
    void apply(const bos::leads::LeadHoldChanged& event, const EventContext& context,
               ViewWriter& rows) const;
    void apply(const bos::leads::LeadResumed& event, const EventContext& context,
               ViewWriter& rows) const;
    void apply(const bos::leads::LeadDisqualified& event, const EventContext& context,
               ViewWriter& rows) const;
    /// The hold stays as it is, but no timer ends it.
    void apply(const bos::leads::LeadArchived& event, const EventContext& context,
               ViewWriter& rows) const;
    /// The hold is due when it was; if that has passed, at once.
    void apply(const bos::leads::LeadRestored& event, const EventContext& context,
               ViewWriter& rows) const;

  private:
    static void begin_hold(const bos::leads::Hold& hold, ViewWriter& rows);
    static void end_hold(bos::leads::LeadId lead, ViewWriter& rows);
};

}  // namespace bos::projections::leads
