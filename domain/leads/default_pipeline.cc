#include "domain/leads/default_pipeline.h"

#include "domain/leads/leads.h"

namespace bos::leads {

namespace {

Stage stage(std::string key, std::string name, Category category,
            Milestone milestone = Milestone::none) {
    return Stage{.key = std::move(key),
                 .name = std::move(name),
                 .category = category,
                 .milestone = milestone,
                 .exit = std::nullopt};
}

Stage left_once_contacted(Stage stage) {
    stage.exit =
        ExitCriteria{.required_fields = {}, .min_score = std::nullopt, .outbound_activity = true};
    return stage;
}

}  // namespace

PipelineDefined default_pipeline_defined() {
    // Nurture stands before contacted and qualified: a recycled lead goes through both again.
    return PipelineDefined{
        .pipeline = default_pipeline(),
        .name = "Leads",
        .stages = {left_once_contacted(stage("new", "New", Category::open)),
                   left_once_contacted(stage("nurture", "Nurture", Category::open)),
                   stage("contacted", "Contacted", Category::ongoing, Milestone::contacted),
                   stage("qualified", "Qualified", Category::ongoing, Milestone::qualified),
                   stage("on_hold", "On hold", Category::on_hold),
                   stage("converted", "Converted", Category::won),
                   stage("disqualified", "Disqualified", Category::lost)}};
}

std::vector<ReasonDefined> default_reasons_defined() {
    return {{.reason = "no_budget", .label = "No budget"},
            {.reason = "no_response", .label = "No response"},
            {.reason = "competitor", .label = "Chose a competitor"},
            {.reason = "not_a_fit", .label = "Not a fit"},
            {.reason = "duplicate", .label = "Duplicate"},
            {.reason = "other", .label = "Other"}};
}

}  // namespace bos::leads
