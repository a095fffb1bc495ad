#pragma once

#include "projections/leads/lead_row.h"
#include "projections/list.h"
#include "projections/table.h"
#include "projections/view.h"

namespace bos::projections::leads {

/// The board: the cards of each stage, newest in the stage first, and what each column counts and
/// sums up, for every viewer's scope.
///
///     table 0   lead -> Card
///     table 1   index of CardList, grouped by pipeline and stage, those that left the
///               board with the archive apart, see list_index.h
///     table 2   pipeline | stage -> StageTotals
///     table 3   lead -> CardActivities: the card shows only when the first of them is due; no past
///     table 4   u8 scope | 16 bytes user | pipeline | stage -> StageTotals; no past; in scope
///               assigned without what is the user's own
struct BoardView {
    static constexpr std::uint16_t id = 5;
    static constexpr std::string_view name = "leads.board";
    static constexpr std::uint32_t version = 5;
    using Handles = concat_types<LeadEvents, types<StageRetired>>;
    using Cards = Table<BoardView, 0, LeadId, Card>;

    struct ColumnKey {
        PipelineId pipeline;
        std::string stage;
    };
    friend void append_key(KeyWriter& writer, const ColumnKey& key) {
        writer.uuid(key.pipeline.value()).text(key.stage);
    }
    struct ViewersColumnKey {
        Scope scope = Scope::own;
        UserId user;
        ColumnKey column;
    };
    friend void append_key(KeyWriter& writer, const ViewersColumnKey& key) {
        writer.u8(static_cast<std::uint8_t>(key.scope)).uuid(key.user.value());
        append_key(writer, key.column);
    }
    using Totals = Table<BoardView, 2, ColumnKey, StageTotals>;
    using ViewersTotals = Table<BoardView, 4, ViewersColumnKey, StageTotals, Past::none>;
    using Scheduled = Table<BoardView, 3, LeadId, CardActivities, Past::none>;

    /// Counts a card in, or out with sign -1.
    static void count(const Card& card, std::int64_t sign, StageTotals& totals);
    static void add(const StageTotals& more, StageTotals& totals);

    template <class Event>
        requires requires(Lead& lead, const Event& event, const EventContext& context) {
            update(lead, event, context);
        }
    void apply(const Event& event, const EventContext& context, ViewWriter& rows) const {
        std::optional<Card> before = Cards::get(rows, event.lead);
        Lead lead = before ? lead_of(*before) : Lead{};
        if constexpr (contains_type<Event, ScheduleEvents>::value) {
            update_scheduled(lead, event, context, rows);
        } else {
            update(lead, event, context);
        }
        lead.version = context.version.value;
        replace(before, card_of(lead), rows);
    }
    /// Moves the cards of the stage along.
    void apply(const StageRetired& event, const EventContext& context, ViewWriter& rows) const;

  private:
    // What the card shows of a lead is folded as the lead itself is, so that both always tell the
    // same.
    [[nodiscard]] static Lead lead_of(const Card& card);
    [[nodiscard]] static Card card_of(const Lead& lead);
    template <class Event>
    static void update_scheduled(Lead& lead, const Event& event, const EventContext& context,
                                 ViewWriter& rows) {
        lead.open_activities =
            Scheduled::get(rows, event.lead).value_or(CardActivities{}).open_activities;
        update(lead, event, context);
        if (lead.open_activities.empty()) {
            Scheduled::erase(rows, event.lead);
        } else {
            Scheduled::put(rows, event.lead, {lead.open_activities});
        }
    }
    static void replace(const std::optional<Card>& before, const Card& after, ViewWriter& rows);
};

/// The cards of a column: GET /v1/leads/board and /v1/leads/board/{stage}.
struct CardList {
    using View = BoardView;
    using Rows = BoardView::Cards;
    static constexpr std::uint8_t index = 1;
    static constexpr std::string_view sorts[] = {"stage_since"};
    static void append_sort_key(KeyWriter& key, const Card& card, std::size_t) {
        key.i64(micros(card.stage_since));
    }
    static std::string column(PipelineId pipeline, std::string_view stage) {
        return KeyWriter().u8(0).uuid(pipeline.value()).text(stage).take();
    }
    /// Archived cards stand in a column that nobody asks for: they tell the past of a narrower
    /// scope whose they are today.
    static std::vector<std::string> groups_of(const Card& card) {
        if (card.archived_at) return {KeyWriter().u8(1).take()};
        return {column(card.pipeline, card.stage)};
    }
    static LeadId id_of(const Card& card) { return card.id; }
    static RowScopes scopes_of(const Card& card) { return {card.owner, card.collaborators}; }
};

}  // namespace bos::projections::leads
