#include "domain/leads/exit_criteria.h"
#include "domain/leads/leads.h"
#include "domain/leads/limits.h"
#include "domain/leads/named_stage.h"
#include "domain/leads/rejecting.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace bos::leads {

namespace {

using Stages = std::vector<KnownStage>;

std::string_view key_of(const KnownStage& stage) { return stage.definition.key; }

Stages::iterator place_of_key(Stages& stages, std::string_view key) {
    return std::ranges::find(stages, key, key_of);
}

Stages::iterator end_of_use(Stages& stages) {
    return std::ranges::find_if(stages, [](const KnownStage& stage) { return stage.retired(); });
}

std::vector<std::string> keys_in_use(const PipelineState& pipeline) {
    std::vector<std::string> keys;
    for (const KnownStage& stage : pipeline.in_use()) keys.push_back(stage.definition.key);
    return keys;
}

Checked<void> require_pipeline(const PipelineState& pipeline) {
    if (!pipeline.exists()) return reject(Rejection::pipeline_not_found);
    return {};
}

/// A lead that comes in without a stage stands in the first one.
Checked<void> require_open_first(const PipelineState& pipeline, const std::string& pointer) {
    if (pipeline.in_use().front().definition.category == Category::open) return {};
    return reject(Rejection::first_stage_not_open, pointer);
}

Checked<void> require_unique_keys(const std::vector<Stage>& stages) {
    std::set<std::string_view> keys;
    for (std::size_t i = 0; i < stages.size(); ++i) {
        if (keys.insert(stages[i].key).second) continue;
        return reject(Rejection::stage_key_not_unique, fmt::format("/stages/{}/key", i));
    }
    return {};
}

Checked<void> require_complete(const std::vector<Stage>& stages) {
    if (stages.empty() || stages.front().category != Category::open) {
        return reject(Rejection::pipeline_incomplete, "/stages",
                      "the first stage is of category open");
    }
    if (std::ranges::find(stages, Category::lost, &Stage::category) == stages.end()) {
        return reject(Rejection::pipeline_incomplete, "/stages",
                      "there is a stage of category lost");
    }
    return {};
}

}  // namespace

const KnownStage* PipelineState::known(std::string_view key) const {
    const auto found = std::ranges::find(stages, key, key_of);
    return found == stages.end() ? nullptr : &*found;
}

const Stage* PipelineState::find(std::string_view key) const {
    const KnownStage* stage = known(key);
    // Ends: a stage is remapped only to one that is in use then, and never comes back into use.
    while (stage != nullptr && stage->retired()) stage = known(*stage->remapped_to);
    return stage == nullptr ? nullptr : &stage->definition;
}

std::span<const KnownStage> PipelineState::in_use() const {
    const auto end = std::ranges::find_if(stages, &KnownStage::retired);
    return {stages.begin(), end};
}

const Stage* PipelineState::first_of(Category category) const {
    for (const KnownStage& stage : in_use()) {
        if (stage.definition.category == category) return &stage.definition;
    }
    return nullptr;
}

const Stage* PipelineState::first_with(Milestone milestone) const {
    for (const KnownStage& stage : in_use()) {
        const Category category = stage.definition.category;
        const bool worked_through = category == Category::open || category == Category::ongoing;
        if (worked_through && stage.definition.milestone == milestone) return &stage.definition;
    }
    return nullptr;
}

std::size_t PipelineState::place_of(const Stage& stage) const {
    const auto used = in_use();
    return static_cast<std::size_t>(std::ranges::find(used, stage.key, key_of) - used.begin());
}

Checked<const Stage*> named_stage(const PipelineState& pipeline, std::string_view key,
                                  const std::string& pointer) {
    const KnownStage* stage = pipeline.known(key);
    if (stage == nullptr) return reject(Rejection::stage_not_found, pointer);
    if (stage->retired()) {
        return reject(Rejection::stage_retired, pointer,
                      "its leads stand in stage " + pipeline.find(key)->key);
    }
    return &stage->definition;
}

PipelineState evolve(PipelineState pipeline, const PipelineDefined& event) {
    pipeline.id = event.pipeline;
    pipeline.name = event.name;
    for (const Stage& stage : event.stages) pipeline.stages.push_back({stage, std::nullopt});
    return pipeline;
}

PipelineState evolve(PipelineState pipeline, const PipelineRenamed& event) {
    pipeline.name = event.name;
    return pipeline;
}

PipelineState evolve(PipelineState pipeline, const StageAdded& event) {
    Stages& stages = pipeline.stages;
    const auto place = event.before ? place_of_key(stages, *event.before) : end_of_use(stages);
    stages.insert(place, {event.stage, std::nullopt});
    return pipeline;
}

PipelineState evolve(PipelineState pipeline, const StageChanged& event) {
    place_of_key(pipeline.stages, event.stage.key)->definition = event.stage;
    return pipeline;
}

PipelineState evolve(PipelineState pipeline, const StagesReordered& event) {
    auto place = pipeline.stages.begin();
    for (const std::string& key : event.stages) {
        std::iter_swap(place++, place_of_key(pipeline.stages, key));
    }
    return pipeline;
}

PipelineState evolve(PipelineState pipeline, const StageRetired& event) {
    const auto place = place_of_key(pipeline.stages, event.stage);
    place->remapped_to = event.remap_to;
    std::rotate(place, place + 1, pipeline.stages.end());
    return pipeline;
}

Decision decide(const PipelineState& pipeline, const DefinePipeline& command, const Facts&) {
    if (pipeline.exists()) return reject(Rejection::already_exists, "/pipeline");
    BOS_CHECK(require_complete(command.stages));
    BOS_CHECK(require_unique_keys(command.stages));
    for (std::size_t i = 0; i < command.stages.size(); ++i) {
        BOS_CHECK(require_known_fields(command.stages[i], fmt::format("/stages/{}", i)));
    }
    return {{PipelineDefined{
        .pipeline = command.pipeline, .name = command.name, .stages = command.stages}}};
}

Decision decide(const PipelineState& pipeline, const RenamePipeline& command, const Facts&) {
    BOS_CHECK(require_pipeline(pipeline));
    if (pipeline.name == command.name) return {};
    return {{PipelineRenamed{.pipeline = pipeline.id, .name = command.name}}};
}

Decision decide(const PipelineState& pipeline, const AddStage& command, const Facts&) {
    BOS_CHECK(require_pipeline(pipeline));
    if (pipeline.known(command.stage.key) != nullptr)
        return reject(Rejection::stage_key_taken, "/stage/key");
    if (command.before) BOS_CHECK(named_stage(pipeline, *command.before, "/before"));
    if (pipeline.in_use().size() >= limits::stages_in_use) {
        return reject(Rejection::too_many, "/stage",
                      fmt::format("at most {} stages", limits::stages_in_use));
    }
    BOS_CHECK(require_known_fields(command.stage, "/stage"));
    const StageAdded added{
        .pipeline = pipeline.id, .stage = command.stage, .before = command.before};
    BOS_CHECK(require_open_first(evolve(pipeline, added), "/before"));
    return {{added}};
}

Decision decide(const PipelineState& pipeline, const ChangeStageDefinition& command, const Facts&) {
    BOS_CHECK(require_pipeline(pipeline));
    BOS_TRY(const Stage* current, named_stage(pipeline, command.stage.key, "/stage/key"));
    if (command.stage.category != current->category)
        return reject(Rejection::category_fixed, "/stage/category");
    BOS_CHECK(require_known_fields(command.stage, "/stage"));
    if (command.stage == *current) return {};
    return {{StageChanged{.pipeline = pipeline.id, .stage = command.stage}}};
}

Decision decide(const PipelineState& pipeline, const ReorderStages& command, const Facts&) {
    BOS_CHECK(require_pipeline(pipeline));
    const std::vector<std::string> keys = keys_in_use(pipeline);
    if (!std::ranges::is_permutation(keys, command.stages)) {
        return reject(Rejection::stages_not_a_permutation, "/stages");
    }
    if (keys == command.stages) return {};
    const StagesReordered reordered{.pipeline = pipeline.id, .stages = command.stages};
    BOS_CHECK(require_open_first(evolve(pipeline, reordered), "/stages/0"));
    return {{reordered}};
}

Decision decide(const PipelineState& pipeline, const RetireStage& command, const Facts&) {
    BOS_CHECK(require_pipeline(pipeline));
    const KnownStage* known = pipeline.known(command.stage);
    if (known != nullptr && known->remapped_to == command.remap_to) return {};
    BOS_TRY(const Stage* stage, named_stage(pipeline, command.stage, "/stage"));
    const KnownStage* heir = pipeline.known(command.remap_to);
    // The same category keeps what a pipeline needs: the heir of the last stage of a category would
    // be itself.
    const bool inherits = heir != nullptr && !heir->retired() &&
                          heir->definition.key != stage->key &&
                          heir->definition.category == stage->category;
    if (!inherits) return reject(Rejection::bad_remap, "/remap_to");
    const StageRetired retired{
        .pipeline = pipeline.id, .stage = stage->key, .remap_to = command.remap_to};
    BOS_CHECK(require_open_first(evolve(pipeline, retired), "/stage"));
    return {{retired}};
}

}  // namespace bos::leads
