#pragma once

#include "eventstore/memory_log.h"
#include "projections/table.h"
#include "projections/view.h"
#include "schemas/base/field.h"
#include "schemas/base/random.h"

#include <rapidcheck.h>

/// A module small enough to see whole: cards that are made, moved between stages and thrown away.
namespace bos::projections::cards {

enum class Stage : std::uint8_t { open, doing, done };
inline std::span<const std::string_view> enum_names(Stage) {
    static constexpr std::string_view names[] = {"open", "doing", "done"};
    return names;
}

struct CardMade {
    static constexpr std::uint16_t number = 901;
    static constexpr std::string_view wire_name = "cards.card-made.v1";
    static constexpr std::string_view type_name = "cards.CardMade";
    std::string title;
    std::int32_t points = 0;
    static constexpr auto fields() {
        return std::make_tuple(
            Field<CardMade, std::string>{"title", &CardMade::title, 0, {}, ""},
            Field<CardMade, std::int32_t>{"points", &CardMade::points, 1, {}, ""});
    }
};

struct CardMoved {
    static constexpr std::uint16_t number = 902;
    static constexpr std::string_view wire_name = "cards.card-moved.v1";
    static constexpr std::string_view type_name = "cards.CardMoved";
    Stage stage = Stage::open;
    static constexpr auto fields() {
        return std::make_tuple(Field<CardMoved, Stage>{"stage", &CardMoved::stage, 0, {}, ""});
    }
};

struct CardThrownAway {
    static constexpr std::uint16_t number = 903;
    static constexpr std::string_view wire_name = "cards.card-thrown-away.v1";
    static constexpr std::string_view type_name = "cards.CardThrownAway";
    std::string reason;
    static constexpr auto fields() {
        return std::make_tuple(
            Field<CardThrownAway, std::string>{"reason", &CardThrownAway::reason, 0, {}, ""});
    }
};

struct CardRow {
    static constexpr std::string_view type_name = "cards.CardRow";
    std::string title;
    std::int32_t points = 0;
    Stage stage = Stage::open;
    static constexpr auto fields() {
        return std::make_tuple(Field<CardRow, std::string>{"title", &CardRow::title, 0, {}, ""},
                               Field<CardRow, std::int32_t>{"points", &CardRow::points, 1, {}, ""},
                               Field<CardRow, Stage>{"stage", &CardRow::stage, 2, {}, ""});
    }
    friend bool operator==(const CardRow&, const CardRow&) = default;
};

/// Every card.
struct Board {
    static constexpr std::uint16_t id = 91;
    static constexpr std::string_view name = "cards.board";
    static constexpr std::uint32_t version = 1;
    using Handles = types<CardMade, CardMoved, CardThrownAway>;
    using Rows = Table<Board, 0, Uuid, CardRow>;

    void apply(const CardMade& event, const EventContext& context, ViewWriter& rows) const {
        Rows::put(rows, context.stream.id, {event.title, event.points, Stage::open});
    }
    void apply(const CardMoved& event, const EventContext& context, ViewWriter& rows) const {
        Rows::update(rows, context.stream.id, [&](CardRow& row) { row.stage = event.stage; });
    }
    void apply(const CardThrownAway&, const EventContext& context, ViewWriter& rows) const {
        Rows::erase(rows, context.stream.id);
    }
};

struct TotalRow {
    static constexpr std::string_view type_name = "cards.TotalRow";
    std::int64_t points = 0;
    static constexpr auto fields() {
        return std::make_tuple(
            Field<TotalRow, std::int64_t>{"points", &TotalRow::points, 0, {}, ""});
    }
};

/// The points ever made, under one key.
struct Total {
    static constexpr std::uint16_t id = 92;
    static constexpr std::string_view name = "cards.total";
    static constexpr std::uint32_t version = 1;
    using Handles = types<CardMade>;
    using Rows = Table<Total, 0, std::string_view, TotalRow>;

    void apply(const CardMade& event, const EventContext&, ViewWriter& rows) const {
        TotalRow total = Rows::get(rows, "points").value_or(TotalRow{});
        total.points += event.points;
        Rows::put(rows, "points", total);
    }
};

/// One event of a test's log.
template <class Event>
eventstore::RecordedEvent recorded(const Uuid& card, const Event& event) {
    eventstore::RecordedEvent record;
    record.type = Event::wire_name;
    record.number = Event::number;
    record.stream = {90, card};
    record.version = Version{1};
    record.payload = Codec<Event>::encode(event);
    return record;
}

inline Uuid card_id(std::uint64_t number) {
    Uuid id;
    id.bytes[0] = 1;
    for (std::size_t i = 0; i < 8; ++i)
        id.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
    return id;
}

/// A tenant's log that a test writes event by event.
class CardLog {
  public:
    explicit CardLog(TenantId tenant) : tenant_(std::move(tenant)) {}

    eventstore::Commit append(std::vector<eventstore::RecordedEvent> events) {
        const Position position = head_.position.next();
        const Timestamp recorded_at =
            from_micros(1'700'000'000'000'000 + static_cast<std::int64_t>(position.value));
        const std::string key = std::to_string(position.value);
        eventstore::Commit commit{
            tenant_, position, head_.hash, recorded_at, "cards.test", key, {}, {},
            {},      {},       {},         0,           "test",       {},  {}, std::move(events)};
        for (eventstore::RecordedEvent& event : commit.events)
            event.version = ++versions_[event.stream];
        log_.append(eventstore::encode(commit),
                    [this](Result<eventstore::Head> head) { head_ = head.value(); });
        return commit;
    }
    [[nodiscard]] const eventstore::EventLog& log() const { return log_; }
    [[nodiscard]] Position position() const { return head_.position; }

  private:
    struct Counter {
        std::uint64_t count = 0;
        Version operator++() { return Version{++count}; }
    };
    TenantId tenant_;
    eventstore::MemoryLog log_;
    eventstore::Head head_;
    std::unordered_map<StreamId, Counter> versions_;
};

/// Events of a random commit about few cards, so that they meet again.
inline rc::Gen<std::vector<eventstore::RecordedEvent>> any_events() {
    // Ranges shrink with the size that a container of few elements has: to one value here.
    const auto any_event = rc::gen::map(
        rc::gen::resize(rc::kNominalSize,
                        rc::gen::tuple(rc::gen::inRange<std::uint64_t>(0, 12),
                                       rc::gen::inRange(0, 6), rc::gen::inRange(0, 100))),
        [](const std::tuple<std::uint64_t, int, int>& drawn) {
            const auto [card, kind, number] = drawn;
            if (kind < 3) return recorded(card_id(card), CardMade{std::to_string(number), number});
            if (kind < 5) return recorded(card_id(card), CardMoved{static_cast<Stage>(number % 3)});
            return recorded(card_id(card), CardThrownAway{});
        });
    return rc::gen::nonEmpty(
        rc::gen::resize(4, rc::gen::container<std::vector<eventstore::RecordedEvent>>(any_event)));
}

/// For views that seal nothing.
class NoKeys final : public eventstore::KeyStore {
  public:
    Result<eventstore::SubjectKey> key_for(const TenantId&, const StreamId&) override {
        return none();
    }
    Result<void> sync() override { return none(); }
    Result<eventstore::SubjectKey> find(const TenantId&, const Uuid&) const override {
        return none();
    }
    Result<void> destroy(const TenantId&, const StreamId&) override { return none(); }
    [[nodiscard]] std::uint64_t erasures() const override { return 0; }
    Result<std::string> tenant_secret(const TenantId&) override { return none(); }

  private:
    static std::unexpected<Error> none() { return fail(Code::not_found, "no keys in this test"); }
};

}  // namespace bos::projections::cards
