#include "domain/leads/limits.h"
#include "tests/domain/leads_history.h"

#include <set>

namespace bos::test {

using namespace leads;

namespace {

Stage stage(std::string key, Category category) {
    return {.key = key,
            .name = key,
            .category = category,
            .milestone = Milestone::none,
            .exit = std::nullopt};
}

/// a (open), b (ongoing), c (open), lost.
PipelineDefined small() {
    return {other_pipeline,
            "Small",
            {stage("a", Category::open), stage("b", Category::ongoing), stage("c", Category::open),
             stage("lost", Category::lost)}};
}

DefinePipeline define(std::vector<Stage> stages) {
    return {other_pipeline, "Small", std::move(stages)};
}

Stage wanting(std::string field) {
    Stage result = stage("a", Category::open);
    result.exit = ExitCriteria{.required_fields = {"company_name", std::move(field)},
                               .min_score = {},
                               .outbound_activity = false};
    return result;
}

History reduced(std::string retired, std::string remap_to) {
    return plus(History{small()},
                StageRetired{other_pipeline, std::move(retired), std::move(remap_to)});
}

}  // namespace

TEST_CASE("a pipeline is defined with its stages in order") {
    given<Leads>(nothing_yet()).when(define(small().stages)).then({small()});
    given<Leads>(small())
        .when(define(small().stages))
        .rejected(Rejection::already_exists, "/pipeline");
}

TEST_CASE("what a pipeline must have") {
    const auto defining = [](std::vector<Stage> stages) {
        return given<Leads>(nothing_yet()).when(define(std::move(stages)));
    };
    const Stage open = stage("a", Category::open);
    const Stage lost = stage("z", Category::lost);
    defining({}).rejected(Rejection::pipeline_incomplete, "/stages");
    defining({open}).rejected(Rejection::pipeline_incomplete, "/stages");
    defining({lost, open}).rejected(Rejection::pipeline_incomplete, "/stages");
    defining({stage("b", Category::ongoing), open, lost})
        .rejected(Rejection::pipeline_incomplete, "/stages");
    defining({open, lost, stage("a", Category::won)})
        .rejected(Rejection::stage_key_not_unique, "/stages/2/key");
    defining({wanting("shoe_size"), lost})
        .rejected(Rejection::field_not_known, "/stages/0/exit/required_fields/1");
    CHECK(defining({wanting("emails"), lost}).events().size() == 1);
}

TEST_CASE("a pipeline gets another name, once") {
    given<Leads>(small())
        .when(RenamePipeline{other_pipeline, "Big"})
        .then({PipelineRenamed{other_pipeline, "Big"}});
    given<Leads>(small()).when(RenamePipeline{other_pipeline, "Small"}).nothing();
}

TEST_CASE("a stage is added at the end of those in use, or before one of them") {
    const Stage added = stage("d", Category::ongoing);
    const auto order_after = [](const History& history) {
        LeadsWorld world;
        for (const Event& event : history) world.apply(event);
        std::string keys;
        for (const KnownStage& known : world.pipelines.at(other_pipeline.value()).stages) {
            keys += (known.retired() ? "-" : "+") + known.definition.key;
        }
        return keys;
    };
    const StageAdded last{other_pipeline, added, {}};
    const StageAdded before_b{other_pipeline, added, "b"};
    given<Leads>(small()).when(AddStage{other_pipeline, added, {}}).then({last});
    given<Leads>(small()).when(AddStage{other_pipeline, added, "b"}).then({before_b});
    CHECK(order_after(plus(reduced("c", "a"), last)) == "+a+b+lost+d-c");
    CHECK(order_after(plus(reduced("c", "a"), before_b)) == "+a+d+b+lost-c");
    CHECK(order_after(
              plus(History{small()}, StagesReordered{other_pipeline, {"c", "lost", "b", "a"}})) ==
          "+c+lost+b+a");
}

TEST_CASE("a stage that cannot be added") {
    const auto adding = [](Stage added, std::optional<std::string> before) {
        return given<Leads>(reduced("c", "a"))
            .when(AddStage{other_pipeline, std::move(added), std::move(before)});
    };
    adding(stage("b", Category::open), {}).rejected(Rejection::stage_key_taken, "/stage/key");
    adding(stage("c", Category::open), {}).rejected(Rejection::stage_key_taken, "/stage/key");
    adding(stage("d", Category::open), "elsewhere").rejected(Rejection::stage_not_found, "/before");
    adding(stage("d", Category::open), "c").rejected(Rejection::stage_retired, "/before");
    adding(stage("d", Category::ongoing), "a").rejected(Rejection::first_stage_not_open, "/before");
    Stage demanding = wanting("shoe_size");
    demanding.key = "d";
    adding(demanding, {}).rejected(Rejection::field_not_known, "/stage/exit/required_fields/1");
}

TEST_CASE("a pipeline has at most so many stages in use") {
    PipelineDefined full = small();
    while (full.stages.size() < limits::stages_in_use) {
        full.stages.push_back(stage("s" + std::to_string(full.stages.size()), Category::ongoing));
    }
    const AddStage command{other_pipeline, stage("d", Category::open), {}};
    given<Leads>(full).when(command).rejected(Rejection::too_many, "/stage");
    CHECK(
        given<Leads>(full, StageRetired{other_pipeline, "c", "a"}).when(command).events().size() ==
        1);
}

TEST_CASE("a stage keeps its key and category when the rest changes") {
    Stage renamed = stage("b", Category::ongoing);
    renamed.name = "In talks";
    const auto changing = [](const Stage& to) {
        return given<Leads>(reduced("c", "a")).when(ChangeStageDefinition{other_pipeline, to});
    };
    changing(renamed).then({StageChanged{other_pipeline, renamed}});
    changing(stage("b", Category::ongoing)).nothing();
    changing(stage("b", Category::won)).rejected(Rejection::category_fixed, "/stage/category");
    changing(stage("elsewhere", Category::won)).rejected(Rejection::stage_not_found, "/stage/key");
    changing(stage("c", Category::open)).rejected(Rejection::stage_retired, "/stage/key");
    changing(wanting("shoe_size"))
        .rejected(Rejection::field_not_known, "/stage/exit/required_fields/1");
}

TEST_CASE("stages are put in another order by naming each of them once") {
    const auto ordering = [](std::vector<std::string> keys) {
        return given<Leads>(small()).when(ReorderStages{other_pipeline, std::move(keys)});
    };
    ordering({"c", "lost", "b", "a"})
        .then({StagesReordered{other_pipeline, {"c", "lost", "b", "a"}}});
    ordering({"a", "b", "c", "lost"}).nothing();
    ordering({"a", "b", "c"}).rejected(Rejection::stages_not_a_permutation, "/stages");
    ordering({"a", "b", "c", "c"}).rejected(Rejection::stages_not_a_permutation, "/stages");
    ordering({"a", "b", "c", "lost", "d"}).rejected(Rejection::stages_not_a_permutation, "/stages");
    ordering({"b", "a", "c", "lost"}).rejected(Rejection::first_stage_not_open, "/stages/0");
    given<Leads>(reduced("c", "a"))
        .when(ReorderStages{other_pipeline, {"a", "lost", "b", "c"}})
        .rejected(Rejection::stages_not_a_permutation, "/stages");
}

TEST_CASE("a retired stage leaves its leads to another of its category") {
    const auto retiring = [](std::string key, std::string remap_to) {
        return given<Leads>(small()).when(
            RetireStage{other_pipeline, std::move(key), std::move(remap_to)});
    };
    retiring("c", "a").then({StageRetired{other_pipeline, "c", "a"}});
    retiring("elsewhere", "a").rejected(Rejection::stage_not_found, "/stage");
    retiring("c", "elsewhere").rejected(Rejection::bad_remap, "/remap_to");
    retiring("c", "c").rejected(Rejection::bad_remap, "/remap_to");
    retiring("c", "b").rejected(Rejection::bad_remap, "/remap_to");
    // b is of category ongoing and would come first.
    retiring("a", "c").rejected(Rejection::first_stage_not_open, "/stage");
    given<Leads>(reduced("c", "a")).when(RetireStage{other_pipeline, "c", "a"}).nothing();
    given<Leads>(reduced("c", "a"))
        .when(RetireStage{other_pipeline, "c", "b"})
        .rejected(Rejection::stage_retired, "/stage");
}

TEST_CASE("the last stage of a category cannot be retired") {
    given<Leads>(small())
        .when(RetireStage{other_pipeline, "lost", "lost"})
        .rejected(Rejection::bad_remap, "/remap_to");
    given<Leads>(small())
        .when(RetireStage{other_pipeline, "lost", "a"})
        .rejected(Rejection::bad_remap, "/remap_to");
}

TEST_CASE("remaps are followed to the stage in use at their end") {
    LeadsWorld world;
    for (const Event& event :
         History{small(), StagesReordered{other_pipeline, {"a", "c", "b", "lost"}},
                 StageAdded{other_pipeline, stage("d", Category::open), {}},
                 StageRetired{other_pipeline, "d", "c"}, StageRetired{other_pipeline, "c", "a"}}) {
        world.apply(event);
    }
    const PipelineState& pipeline = world.pipelines.at(other_pipeline.value());
    CHECK(pipeline.find("d")->key == "a");
    CHECK(pipeline.find("c")->key == "a");
    CHECK(pipeline.find("a")->key == "a");
    CHECK(pipeline.find("elsewhere") == nullptr);
}

TEST_CASE("no command but the definition works on a pipeline that is not there") {
    for_each_type(Commands{}, [&]<class Command>() {
        if constexpr (Command::aggregate == PipelineState::aggregate && !Command::creates) {
            INFO(Command::type_name);
            Command command;
            command.pipeline = other_pipeline;
            given<Leads>(nothing_yet()).when(command).rejected(Rejection::pipeline_not_found);
        }
    });
}

TEST_CASE("the default pipeline obeys the rules of pipelines") {
    const PipelineDefined pipeline = default_pipeline_defined();
    given<Leads>(nothing_yet())
        .when(DefinePipeline{pipeline.pipeline, pipeline.name, pipeline.stages})
        .then({pipeline});
}

TEST_CASE("a reason is defined, gets another label, is retired and comes back") {
    const History known{ReasonDefined{"no_budget", "No budget"}};
    const History retired = plus(known, ReasonRetired{"no_budget"});
    given<Leads>(nothing_yet())
        .when(DefineReason{"no_budget", "No budget"})
        .then({ReasonDefined{"no_budget", "No budget"}});
    given<Leads>(known).when(DefineReason{"no_budget", "No budget"}).nothing();
    given<Leads>(known)
        .when(DefineReason{"no_budget", "Too dear"})
        .then({ReasonDefined{"no_budget", "Too dear"}});
    given<Leads>(known).when(RetireReason{"no_budget"}).then({ReasonRetired{"no_budget"}});
    given<Leads>(retired).when(RetireReason{"no_budget"}).nothing();
    given<Leads>(retired)
        .when(DefineReason{"no_budget", "No budget"})
        .then({ReasonDefined{"no_budget", "No budget"}});
    given<Leads>(nothing_yet())
        .when(RetireReason{"no_budget"})
        .rejected(Rejection::reason_not_found, "/reason");
}

TEST_CASE("a tenant has at most so many reasons, and can still change those") {
    History history;
    for (std::size_t i = 0; i < limits::reasons; ++i)
        history.emplace_back(ReasonDefined{"r" + std::to_string(i), "A reason"});
    given<Leads>(history)
        .when(DefineReason{"one_more", "One more"})
        .rejected(Rejection::too_many, "/reason");
    CHECK(given<Leads>(history).when(DefineReason{"r0", "Another label"}).events().size() == 1);
}

}  // namespace bos::test
