// Pipelines, reasons, and the funnel.
#include "projections/leads/funnel_view.h"
#include "projections/leads/pipelines_view.h"
#include "projections/leads/queries.h"
#include "schemas/leads_ids.h"

#include <algorithm>
#include <map>

namespace bos::projections {

using bos::leads::Funnel;
using bos::leads::FunnelStep;
using bos::leads::GetFunnel;
using bos::leads::GetPipeline;
using bos::leads::ListPipelines;
using bos::leads::ListReasons;
using bos::leads::Pipeline;
using bos::leads::PipelineId;
using bos::leads::PipelineList;
using bos::leads::PipelineStage;
using bos::leads::Reason;
using bos::leads::ReasonList;
using bos::leads::StageFlow;

namespace {

Result<Pipeline> find_pipeline(PipelineId id, const QueryContext& context) {
    BOS_TRY(auto pipeline, leads::PipelinesView::Pipelines::get(context.reader, id));
    if (!pipeline)
        return fail(Code::not_found,
                    "No pipeline has this id; the default one comes with the first lead.");
    return *std::move(pipeline);
}

}  // namespace

Result<PipelineList> answer(const ListPipelines&, const QueryContext& context) {
    PipelineList list{.items = {}, .position = context.reader.position().value};
    BOS_CHECK(leads::PipelinesView::Pipelines::scan(context.reader, [&](Pipeline&& pipeline) {
        list.items.push_back(std::move(pipeline));
        return true;
    }));
    return list;
}

Result<Pipeline> answer(const GetPipeline& query, const QueryContext& context) {
    return find_pipeline(query.pipeline, context);
}

Result<ReasonList> answer(const ListReasons&, const QueryContext& context) {
    ReasonList list{.items = {}, .position = context.reader.position().value};
    BOS_CHECK(leads::PipelinesView::Reasons::scan(context.reader, [&](Reason&& reason) {
        list.items.push_back(std::move(reason));
        return true;
    }));
    return list;
}

/// Flows of a retired stage count for the one that took its place.
Result<Funnel> answer(const GetFunnel& query, const QueryContext& context) {
    BOS_TRY(const Pipeline pipeline,
            find_pipeline(query.pipeline.value_or(bos::leads::default_pipeline()), context));
    const UserId user = context.viewer.scope == Scope::all ? UserId{} : context.viewer.user;
    const std::uint32_t from = query.from_month.value_or(0);
    const std::uint32_t to = query.to_month.value_or(UINT32_MAX - 1);
    if (from > to) return fail(Code::invalid, "from_month must not be after to_month.");
    const std::string prefix = KeyWriter()
                                   .u8(leads::FunnelView::Flows::table)
                                   .uuid(user.value())
                                   .uuid(pipeline.id.value())
                                   .take();
    std::map<std::string, StageFlow> flows;
    Result<void> decoded;
    BOS_CHECK(context.reader.scan(leads::FunnelView::id, KeyWriter().raw(prefix).u32(from).bytes(),
                                  KeyWriter().raw(prefix).u32(to + 1).bytes(), Direction::forward,
                                  [&](std::string_view key, std::string_view bytes) {
                                      KeyReader reader(key.substr(prefix.size()));
                                      std::uint32_t month = 0;
                                      std::string stage;
                                      const auto flow = decode<StageFlow>(bytes);
                                      if (!flow || !reader.u32(month) || !reader.text(stage)) {
                                          decoded = fail(Code::corrupt,
                                                         "a row of the funnel does not decode");
                                          return false;
                                      }
                                      StageFlow& sum = flows[leads::stage_in_use(pipeline, stage)];
                                      sum.entered += flow->entered;
                                      sum.left += flow->left;
                                      sum.time_in_stage_us += flow->time_in_stage_us;
                                      return true;
                                  }));
    BOS_CHECK(decoded);
    Funnel funnel{.pipeline = pipeline.id,
                  .from_month = query.from_month,
                  .to_month = query.to_month,
                  .steps = {},
                  .position = context.reader.position().value};
    for (const PipelineStage& stage : pipeline.stages) {
        if (stage.remapped_to) continue;
        const StageFlow& flow = flows[stage.stage.key];
        FunnelStep step{.stage = stage.stage.key,
                        .name = stage.stage.name,
                        .category = stage.stage.category,
                        .entered = flow.entered,
                        .left = flow.left,
                        .mean_seconds_in_stage = {}};
        if (flow.left > 0)
            step.mean_seconds_in_stage =
                static_cast<std::uint64_t>(flow.time_in_stage_us) / flow.left / 1'000'000;
        funnel.steps.push_back(std::move(step));
    }
    return funnel;
}

}  // namespace bos::projections
