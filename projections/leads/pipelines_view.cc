#include "projections/leads/pipelines_view.h"

#include <algorithm>

namespace bos::projections::leads {

using namespace bos::leads;  // NOLINT: the module's vocabulary in the module's views

namespace {

PipelineStage* find_stage(Pipeline& pipeline, std::string_view key) {
    const auto found = std::ranges::find_if(
        pipeline.stages, [&](const PipelineStage& stage) { return stage.stage.key == key; });
    return found == pipeline.stages.end() ? nullptr : &*found;
}

auto first_retired(Pipeline& pipeline) {
    return std::ranges::find_if(
        pipeline.stages, [](const PipelineStage& stage) { return stage.remapped_to.has_value(); });
}

template <class Change>
void change_pipeline(ViewWriter& rows, PipelineId id, const EventContext& context,
                     Change&& change) {
    PipelinesView::Pipelines::update(rows, id, [&](Pipeline& pipeline) {
        change(pipeline);
        pipeline.version = context.version.value;
    });
}

}  // namespace

void PipelinesView::apply(const PipelineDefined& event, const EventContext& context,
                          ViewWriter& rows) const {
    Pipeline pipeline{
        .id = event.pipeline, .name = event.name, .stages = {}, .version = context.version.value};
    for (const Stage& stage : event.stages)
        pipeline.stages.push_back({.stage = stage, .remapped_to = {}});
    Pipelines::put(rows, event.pipeline, pipeline);
}

void PipelinesView::apply(const PipelineRenamed& event, const EventContext& context,
                          ViewWriter& rows) const {
    change_pipeline(rows, event.pipeline, context,
                    [&](Pipeline& pipeline) { pipeline.name = event.name; });
}

void PipelinesView::apply(const StageAdded& event, const EventContext& context,
                          ViewWriter& rows) const {
    change_pipeline(rows, event.pipeline, context, [&](Pipeline& pipeline) {
        auto place = first_retired(pipeline);
        if (event.before) {
            place = std::ranges::find_if(pipeline.stages, [&](const PipelineStage& stage) {
                return stage.stage.key == *event.before;
            });
        }
        pipeline.stages.insert(place, {.stage = event.stage, .remapped_to = {}});
    });
}

void PipelinesView::apply(const StageChanged& event, const EventContext& context,
                          ViewWriter& rows) const {
    change_pipeline(rows, event.pipeline, context, [&](Pipeline& pipeline) {
        if (PipelineStage* stage = find_stage(pipeline, event.stage.key))
            stage->stage = event.stage;
    });
}

void PipelinesView::apply(const StagesReordered& event, const EventContext& context,
                          ViewWriter& rows) const {
    change_pipeline(rows, event.pipeline, context, [&](Pipeline& pipeline) {
        std::vector<PipelineStage> ordered;
        for (const std::string& key : event.stages) {
            if (const PipelineStage* stage = find_stage(pipeline, key)) ordered.push_back(*stage);
        }
        ordered.insert(ordered.end(), first_retired(pipeline), pipeline.stages.end());
        pipeline.stages = std::move(ordered);
    });
}

void PipelinesView::apply(const StageRetired& event, const EventContext& context,
                          ViewWriter& rows) const {
    change_pipeline(rows, event.pipeline, context, [&](Pipeline& pipeline) {
        PipelineStage* stage = find_stage(pipeline, event.stage);
        if (stage == nullptr) return;
        PipelineStage retired = *stage;
        retired.remapped_to = event.remap_to;
        std::erase_if(pipeline.stages,
                      [&](const PipelineStage& other) { return other.stage.key == event.stage; });
        pipeline.stages.push_back(std::move(retired));
    });
}

void PipelinesView::apply(const ReasonDefined& event, const EventContext&, ViewWriter& rows) const {
    Reasons::put(rows, event.reason,
                 {.reason = event.reason, .label = event.label, .retired = false});
}

void PipelinesView::apply(const ReasonRetired& event, const EventContext&, ViewWriter& rows) const {
    Reasons::update(rows, event.reason, [](Reason& reason) { reason.retired = true; });
}

std::string stage_in_use(const Pipeline& pipeline, std::string_view stage) {
    std::string key(stage);
    // A retired stage stands for one that was in use when it was retired, so the chain is finite.
    for (std::size_t step = 0; step <= pipeline.stages.size(); ++step) {
        const auto found = std::ranges::find_if(
            pipeline.stages, [&](const PipelineStage& known) { return known.stage.key == key; });
        if (found == pipeline.stages.end() || !found->remapped_to) return key;
        key = *found->remapped_to;
    }
    return key;
}

}  // namespace bos::projections::leads
