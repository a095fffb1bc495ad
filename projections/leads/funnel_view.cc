#include "projections/leads/funnel_view.h"

#include <chrono>

namespace bos::projections::leads {

using namespace bos::leads;  // NOLINT: the module's vocabulary in the module's views

namespace {

/// 202601; months are of UTC.
std::uint32_t month_of(Timestamp time) {
    const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(time)};
    return static_cast<std::uint32_t>(static_cast<int>(date.year())) * 100 +
           static_cast<unsigned>(date.month());
}

template <class Change>
void change_flows(ViewWriter& rows, const LeadCohort& cohort, PipelineId pipeline,
                  const std::string& stage, Change&& change) {
    const auto change_one = [&](UserId user) {
        const FunnelView::FlowKey key{
            .user = user, .pipeline = pipeline, .month = cohort.month, .stage = stage};
        StageFlow flow = FunnelView::Flows::get(rows, key).value_or(StageFlow{});
        change(flow);
        FunnelView::Flows::put(rows, key, flow);
    };
    change_one(UserId{});
    if (cohort.owner) change_one(*cohort.owner);
}

}  // namespace

void FunnelView::apply(const LeadCaptured& event, const EventContext&, ViewWriter& rows) const {
    const LeadCohort cohort{.month = month_of(event.captured_at), .owner = event.owner};
    Cohorts::put(rows, event.lead, cohort);
    change_flows(rows, cohort, event.pipeline, event.stage,
                 [](StageFlow& flow) { ++flow.entered; });
}

void FunnelView::apply(const LeadAssigned& event, const EventContext&, ViewWriter& rows) const {
    Cohorts::update(rows, event.lead, [&](LeadCohort& cohort) { cohort.owner = event.owner; });
}

void FunnelView::move(LeadId lead, const StageMove& move, ViewWriter& rows) {
    const std::optional<LeadCohort> cohort = Cohorts::get(rows, lead);
    if (!cohort) return rows.fail({Code::corrupt, "a lead moved that was not captured"});
    change_flows(rows, *cohort, move.pipeline, move.from, [&](StageFlow& flow) {
        ++flow.left;
        flow.time_in_stage_us += move.time_in_stage_us;
    });
    change_flows(rows, *cohort, move.pipeline, move.to, [](StageFlow& flow) { ++flow.entered; });
}

}  // namespace bos::projections::leads
