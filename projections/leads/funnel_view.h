#pragma once

#include "projections/table.h"
#include "projections/view.h"
#include "schemas/leads.gen.h"

namespace bos::projections::leads {

/// How many leads came to each stage, left it, and how long they stayed, by the month of capture.
/// Moves count for everybody under `all` and for the user who owned the lead when it moved.
///
///     table 0   user (nil = all) | pipeline | month u32 (202601) | stage -> StageFlow
///     table 1   lead -> LeadCohort; no past
struct FunnelView {
    static constexpr std::uint16_t id = 3;
    static constexpr std::string_view name = "leads.funnel";
    static constexpr std::uint32_t version = 2;
    using Handles =
        types<bos::leads::LeadCaptured, bos::leads::LeadAssigned, bos::leads::LeadStageChanged,
              bos::leads::LeadQualified, bos::leads::LeadDisqualified, bos::leads::LeadRecycled,
              bos::leads::LeadHeld, bos::leads::LeadResumed>;

    struct FlowKey {
        UserId user;
        bos::leads::PipelineId pipeline;
        std::uint32_t month = 0;
        std::string stage;
    };
    friend void append_key(KeyWriter& writer, const FlowKey& key) {
        writer.uuid(key.user.value()).uuid(key.pipeline.value()).u32(key.month).text(key.stage);
    }
    using Flows = Table<FunnelView, 0, FlowKey, bos::leads::StageFlow>;
    using Cohorts = Table<FunnelView, 1, bos::leads::LeadId, bos::leads::LeadCohort, Past::none>;

    void apply(const bos::leads::LeadCaptured& event, const EventContext& context,
               ViewWriter& rows) const;
    void apply(const bos::leads::LeadAssigned& event, const EventContext& context,
               ViewWriter& rows) const;
    /// Every other event that it handles is a move.
    template <class Moved>
        requires requires(const Moved& event) { event.move; }
    void apply(const Moved& event, const EventContext&, ViewWriter& rows) const {
        move(event.lead, event.move, rows);
    }

  private:
    static void move(bos::leads::LeadId lead, const bos::leads::StageMove& move, ViewWriter& rows);
};

}  // namespace bos::projections::leads
