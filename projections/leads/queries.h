#pragma once

#include "projections/query.h"
#include "schemas/base/result.h"
#include "schemas/leads.gen.h"

namespace bos::projections {

/// The module's queries, one answer() each; see QueryContext for what they promise. Personal data
/// in answers is opened, or erased.
[[nodiscard]] Result<bos::leads::Lead> answer(const bos::leads::GetLead& query,
                                              const QueryContext& context);
[[nodiscard]] Result<bos::leads::LeadPage> answer(const bos::leads::ListLeads& query,
                                                  const QueryContext& context);
[[nodiscard]] Result<bos::leads::ActivityPage> answer(const bos::leads::ListActivities& query,
                                                      const QueryContext& context);
[[nodiscard]] Result<bos::leads::Board> answer(const bos::leads::GetBoard& query,
                                               const QueryContext& context);
[[nodiscard]] Result<bos::leads::ColumnPage> answer(const bos::leads::GetColumn& query,
                                                    const QueryContext& context);
[[nodiscard]] Result<bos::leads::Timeline> answer(const bos::leads::GetTimeline& query,
                                                  const QueryContext& context);
[[nodiscard]] Result<bos::leads::Funnel> answer(const bos::leads::GetFunnel& query,
                                                const QueryContext& context);
[[nodiscard]] Result<bos::leads::PipelineList> answer(const bos::leads::ListPipelines& query,
                                                      const QueryContext& context);
[[nodiscard]] Result<bos::leads::Pipeline> answer(const bos::leads::GetPipeline& query,
                                                  const QueryContext& context);
[[nodiscard]] Result<bos::leads::ReasonList> answer(const bos::leads::ListReasons& query,
                                                    const QueryContext& context);

}  // namespace bos::projections
