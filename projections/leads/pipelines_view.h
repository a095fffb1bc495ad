#pragma once

#include "projections/table.h"
#include "projections/view.h"
#include "schemas/leads.gen.h"

namespace bos::projections::leads {

/// The pipelines and their stages, and the reasons for losing a lead.
///
///     table 0   pipeline id -> Pipeline; stages in use in order, retired ones after them
///     table 1   reason -> Reason
struct PipelinesView {
    static constexpr std::uint16_t id = 2;
    static constexpr std::string_view name = "leads.pipelines";
    static constexpr std::uint32_t version = 1;
    using Handles =
        types<bos::leads::PipelineDefined, bos::leads::PipelineRenamed, bos::leads::StageAdded,
              bos::leads::StageChanged, bos::leads::StagesReordered, bos::leads::StageRetired,
              bos::leads::ReasonDefined, bos::leads::ReasonRetired>;
    using Pipelines = Table<PipelinesView, 0, bos::leads::PipelineId, bos::leads::Pipeline>;
    using Reasons = Table<PipelinesView, 1, std::string_view, bos::leads::Reason>;

    void apply(const bos::leads::PipelineDefined& event, const EventContext& context,
               ViewWriter& rows) const;
    void apply(const bos::leads::PipelineRenamed& event, const EventContext& context,
               ViewWriter& rows) const;
    void apply(const bos::leads::StageAdded& event, const EventContext& context,
               ViewWriter& rows) const;
    void apply(const bos::leads::StageChanged& event, const EventContext& context,
               ViewWriter& rows) const;
    void apply(const bos::leads::StagesReordered& event, const EventContext& context,
               ViewWriter& rows) const;
    void apply(const bos::leads::StageRetired& event, const EventContext& context,
               ViewWriter& rows) const;
    void apply(const bos::leads::ReasonDefined& event, const EventContext& context,
               ViewWriter& rows) const;
    void apply(const bos::leads::ReasonRetired& event, const EventContext& context,
               ViewWriter& rows) const;
};

/// The key of the stage in use that `stage` stands for, remaps followed.
[[nodiscard]] std::string stage_in_use(const bos::leads::Pipeline& pipeline,
                                       std::string_view stage);

}  // namespace bos::projections::leads
