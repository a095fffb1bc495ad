// The pipeline board and its columns.
#include "projections/leads/board_view.h"
#include "projections/leads/pipelines_view.h"
#include "projections/leads/queries.h"
#include "projections/leads/visible.h"
#include "schemas/leads_ids.h"

#include <map>

namespace bos::projections {

using bos::leads::Board;
using bos::leads::Column;
using bos::leads::ColumnPage;
using bos::leads::GetBoard;
using bos::leads::GetColumn;
using bos::leads::Pipeline;
using bos::leads::PipelineId;
using bos::leads::PipelineStage;
using bos::leads::StageTotals;

namespace {

struct CardsWanted {
    PipelineId pipeline;
    std::string stage;
    std::size_t limit = 20;
    std::string cursor;
};

Result<ColumnPage> cards_of(const CardsWanted& wanted, const QueryContext& context) {
    const ListContext list_context{
        .cursor_secret = context.secret, .now = context.now, .open = nullptr};
    const ListQuery list_query{.scope = context.viewer.scope,
                               .viewer = context.viewer.user,
                               .sort = "stage_since",
                               .descending = true,
                               .limit = wanted.limit,
                               .cursor = wanted.cursor,
                               .as_of = context.as_of,
                               .group = leads::CardList::column(wanted.pipeline, wanted.stage)};
    BOS_TRY(auto list, List<leads::CardList>::page(context.reader, list_query, list_context));
    ColumnPage page{.cards = std::move(list.rows),
                    .next = std::move(list.next),
                    .position = list.position.value};
    for (auto& card : page.cards) BOS_CHECK(leads::open_row(card, context));
    return page;
}

Result<Pipeline> pipeline_named(const std::optional<PipelineId>& id, const QueryContext& context) {
    BOS_TRY(auto pipeline, leads::PipelinesView::Pipelines::get(
                               context.reader, id.value_or(bos::leads::default_pipeline())));
    if (!pipeline)
        return fail(Code::not_found,
                    "No pipeline has this id; the default one comes with the first lead.");
    return *std::move(pipeline);
}

using TotalsByStage = std::map<std::string, StageTotals>;

/// What the viewer's columns held in the past, of the leads that are the viewer's today: added up,
/// since the view counts what was the viewer's then.
Result<TotalsByStage> past_totals(PipelineId pipeline, const QueryContext& context) {
    BOS_TRY(const auto cards, List<leads::CardList>::rows_of_today(
                                  context.reader, context.viewer.scope, context.viewer.user));
    TotalsByStage totals;
    for (const auto& card : cards) {
        if (card.pipeline == pipeline && !card.archived_at)
            leads::BoardView::count(card, 1, totals[card.stage]);
    }
    return totals;
}

Result<StageTotals> totals_of(PipelineId pipeline, const std::string& stage,
                              const QueryContext& context) {
    using leads::BoardView;
    const BoardView::ColumnKey column{pipeline, stage};
    if (context.viewer.scope == Scope::all) {
        BOS_TRY(auto totals, BoardView::Totals::get(context.reader, column));
        return totals.value_or(StageTotals{});
    }
    StageTotals totals;
    for (const Scope scope : {Scope::own, Scope::assigned}) {
        if (scope > context.viewer.scope) continue;
        BOS_TRY(const auto part, BoardView::ViewersTotals::get(
                                     context.reader, {scope, context.viewer.user, column}));
        if (part) BoardView::add(*part, totals);
    }
    return totals;
}

}  // namespace

Result<Board> answer(const GetBoard& query, const QueryContext& context) {
    BOS_TRY(Pipeline pipeline, pipeline_named(query.pipeline, context));
    Board board{.pipeline = pipeline.id,
                .name = pipeline.name,
                .columns = {},
                .position = context.reader.position().value};
    TotalsByStage past;
    if (context.todays_rows()) {
        BOS_TRY(past, past_totals(pipeline.id, context));
    }
    for (const PipelineStage& stage : pipeline.stages) {
        if (stage.remapped_to) continue;
        StageTotals totals = std::move(past[stage.stage.key]);
        if (!context.todays_rows()) {
            BOS_TRY(totals, totals_of(pipeline.id, stage.stage.key, context));
        }
        Column column{.stage = stage.stage.key,
                      .name = stage.stage.name,
                      .category = stage.stage.category,
                      .lead_count = totals.lead_count,
                      .sums = std::move(totals.sums),
                      .cards = {},
                      .next = {}};
        const std::size_t cards = query.cards.value_or(20);
        if (cards > 0) {
            BOS_TRY(
                ColumnPage page,
                cards_of(
                    {.pipeline = pipeline.id, .stage = column.stage, .limit = cards, .cursor = {}},
                    context));
            column.cards = std::move(page.cards);
            column.next = std::move(page.next);
        }
        board.columns.push_back(std::move(column));
    }
    return board;
}

Result<ColumnPage> answer(const GetColumn& query, const QueryContext& context) {
    BOS_TRY(const Pipeline pipeline, pipeline_named(query.pipeline, context));
    const std::string stage = leads::stage_in_use(pipeline, query.stage);
    const bool known = std::ranges::any_of(
        pipeline.stages, [&](const PipelineStage& other) { return other.stage.key == stage; });
    if (!known) return fail(Code::not_found, "The pipeline has no such stage.");
    return cards_of({.pipeline = pipeline.id,
                     .stage = stage,
                     .limit = query.limit.value_or(50),
                     .cursor = query.cursor.value_or("")},
                    context);
}

}  // namespace bos::projections
