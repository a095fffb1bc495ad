#include "projections/leads/board_view.h"

#include "schemas/base/same_fields.h"

#include <algorithm>

namespace bos::projections::leads {

namespace {

using ColumnKey = BoardView::ColumnKey;
using ViewersColumnKey = BoardView::ViewersColumnKey;

/// The columns that count this card for those who see it in a narrower scope.
std::vector<ViewersColumnKey> viewers_columns_of(const Card& card, const ColumnKey& column) {
    std::vector<ViewersColumnKey> columns;
    if (card.owner) columns.push_back({Scope::own, *card.owner, column});
    std::vector<UserId> helpers = card.collaborators;
    std::ranges::sort(helpers);
    const auto repeated = std::ranges::unique(helpers);
    helpers.erase(repeated.begin(), repeated.end());
    for (const UserId& user : helpers) {
        if (user != card.owner) columns.push_back({Scope::assigned, user, column});
    }
    return columns;
}

void add_money(std::vector<Money>& sums, const Money& money, std::int64_t sign) {
    const auto place = std::ranges::lower_bound(sums, money.currency, {}, &Money::currency);
    if (place != sums.end() && place->currency == money.currency) {
        // A sum past what 64 bits hold stays at their end: shown wrong at 92 quadrillion rather
        // than undefined.
        if (__builtin_add_overflow(place->minor, sign * money.minor, &place->minor)) {
            place->minor = money.minor > 0 ? INT64_MAX : INT64_MIN;
        }
        if (place->minor == 0) sums.erase(place);
    } else if (money.minor != 0) {
        sums.insert(place, {sign * money.minor, money.currency});
    }
}

template <class Totals>
void count_in(const typename Totals::key_type& column, const Card& card, std::int64_t sign,
              ViewWriter& rows) {
    StageTotals totals = Totals::get(rows, column).value_or(StageTotals{});
    BoardView::count(card, sign, totals);
    if (totals.lead_count == 0) {
        Totals::erase(rows, column);
    } else {
        Totals::put(rows, column, totals);
    }
}

void count_in_columns(const Card& card, std::int64_t sign, ViewWriter& rows) {
    if (card.archived_at) return;
    const ColumnKey column{card.pipeline, card.stage};
    count_in<BoardView::Totals>(column, card, sign, rows);
    for (const ViewersColumnKey& viewers : viewers_columns_of(card, column))
        count_in<BoardView::ViewersTotals>(viewers, card, sign, rows);
}

bool counts_alike(const Card& before, const Card& after) {
    return before.pipeline == after.pipeline && before.stage == after.stage &&
           before.owner == after.owner && before.collaborators == after.collaborators &&
           before.expected_value == after.expected_value && before.archived_at == after.archived_at;
}

}  // namespace

void BoardView::count(const Card& card, std::int64_t sign, StageTotals& totals) {
    totals.lead_count += static_cast<std::uint64_t>(sign);
    if (card.expected_value) add_money(totals.sums, *card.expected_value, sign);
}

void BoardView::add(const StageTotals& more, StageTotals& totals) {
    totals.lead_count += more.lead_count;
    for (const Money& sum : more.sums) add_money(totals.sums, sum, 1);
}

Lead BoardView::lead_of(const Card& card) {
    Lead lead;
    copy_same_fields(card, lead);
    copy_same_fields(card, lead.profile);
    return lead;
}

Card BoardView::card_of(const Lead& lead) {
    Card card;
    copy_same_fields(lead, card);
    copy_same_fields(lead.profile, card);
    return card;
}

void BoardView::replace(const std::optional<Card>& before, const Card& after, ViewWriter& rows) {
    if (!before || !counts_alike(*before, after)) {
        if (before) count_in_columns(*before, -1, rows);
        count_in_columns(after, 1, rows);
    }
    ListIndex<CardList>::replace(
        rows, before ? ListIndex<CardList>::entries_of(*before) : ListIndex<CardList>::Entries{},
        after);
}

void BoardView::apply(const StageRetired& event, const EventContext&, ViewWriter& rows) const {
    std::vector<Card> moved;
    rows.scan_prefix(KeyWriter().u8(Cards::table).bytes(),
                     [&](std::string_view, std::string_view bytes) {
                         auto card = decode<Card>(bytes);
                         if (!card) {
                             rows.fail(card.error());
                             return false;
                         }
                         if (card->pipeline == event.pipeline && card->stage == event.stage)
                             moved.push_back(*std::move(card));
                         return true;
                     });
    for (const Card& before : moved) {
        Card after = before;
        after.stage = event.remap_to;
        replace(before, after, rows);
    }
}

}  // namespace bos::projections::leads
