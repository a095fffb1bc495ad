#include "tests/data/replay.h"
#include "tests/data/source_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

// Sales opportunities of 2016 and 2017. An opportunity comes in and is engaged on its engage_date;
// one without dates has always been there. It is won, with its value, or lost on its close_date.

namespace bos::data_test {

namespace {

using namespace leads;
using std::chrono::days;

struct Opportunity {
    std::string agent;
    std::string product;
    std::string account;
    std::string stage;
    std::optional<Timestamp> engaged;
    std::optional<Timestamp> closed;
    std::int64_t value_minor = 0;
};

std::optional<Timestamp> day(const std::string& date) {
    if (date.empty()) return std::nullopt;
    return parse_timestamp(date + "T00:00:00Z").value();
}
Timestamp end_of(Timestamp day) { return day + days(1) - std::chrono::microseconds(1); }

std::vector<Opportunity> opportunities(const std::filesystem::path& folder) {
    std::vector<Opportunity> all;
    for (const CsvRow& row : read_csv(folder / "crm_opportunities.csv.gz")) {
        const std::int64_t value = row.at(7).empty() ? 0 : std::stoll(row.at(7));
        all.push_back({.agent = row.at(1),
                       .product = row.at(2),
                       .account = row.at(3),
                       .stage = row.at(4),
                       .engaged = day(row.at(5)),
                       .closed = day(row.at(6)),
                       .value_minor = value * 100});
    }
    return all;
}

Stage stage(std::string key, std::string name, Category category) {
    return {.key = std::move(key), .name = std::move(name), .category = category};
}

class Crm {
  public:
    explicit Crm(std::vector<Opportunity> all) : all_(std::move(all)), lead_of_(all_.size()) {
        for (const Opportunity& one : all_) {
            agents_.emplace(one.agent, Replay::user(agents_.size() + 1));
        }
    }

    void run() {
        set_up();
        for (std::size_t i = 0; i < all_.size(); ++i) {
            if (!all_[i].engaged) capture(i);
        }
        for (const auto& [time, today] : moments()) live_through(time, today);
        replay_.finish("crm opportunities");
    }

    [[nodiscard]] std::map<std::string, std::uint64_t> counts_at_end_of(Timestamp day) {
        std::map<std::string, std::uint64_t> counts;
        for (const Column& column : replay_.ask_as_of(end_of(day), board_).columns) {
            if (column.lead_count > 0) counts[column.name] = column.lead_count;
        }
        return counts;
    }
    [[nodiscard]] std::int64_t won_minor_at_end_of(Timestamp day) {
        return sum_of(column("won", replay_.ask_as_of(end_of(day), board_)));
    }
    /// The agent's own won and lost, and the value won.
    struct Record {
        std::uint64_t won = 0;
        std::uint64_t lost = 0;
        std::int64_t won_minor = 0;
    };
    [[nodiscard]] Record record_of(const std::string& agent) {
        const Board own = replay_.ask(board_, {agents_.at(agent), Scope::own});
        const Column& won = column("won", own);
        return {won.lead_count, column("lost", own).lead_count, sum_of(won)};
    }
    Replay& replay() { return replay_; }
    [[nodiscard]] PipelineId pipeline() const { return *board_.pipeline; }

  private:
    void set_up() {
        const Timestamp first = *std::ranges::min(all_, {}, [](const Opportunity& one) {
                                     return one.engaged.value_or(Timestamp::max());
                                 }).engaged;
        replay_.at(first - days(1), Replay::user(0));
        const std::size_t pipeline = replay_.give(DefinePipeline{
            .pipeline = {},
            .name = "Opportunities",
            .stages = {stage("prospecting", "Prospecting", Category::open),
                       stage("engaging", "Engaging", Category::ongoing),
                       stage("won", "Won", Category::won), stage("lost", "Lost", Category::lost)}});
        replay_.give(DefineReason{.reason = "not_told", .label = "Not told"});
        board_.pipeline = PipelineId(replay_.created(pipeline));
        board_.cards = 0;
    }

    /// By time, and of one time by row.
    [[nodiscard]] std::map<Timestamp, std::vector<std::size_t>> moments() const {
        std::map<Timestamp, std::vector<std::size_t>> moments;
        for (std::size_t i = 0; i < all_.size(); ++i) {
            if (all_[i].engaged) moments[*all_[i].engaged].push_back(i);
            if (all_[i].closed) moments[*all_[i].closed].push_back(i);
        }
        return moments;
    }

    /// First comes all that is new on the day, so that nobody waits for the disk one by one.
    void live_through(Timestamp day, const std::vector<std::size_t>& today) {
        const auto act = [&](std::size_t i) { replay_.at(day, agents_.at(all_[i].agent)); };
        for (const std::size_t i : today) {
            act(i);
            if (day == all_[i].engaged) capture(i);
        }
        for (const std::size_t i : today) {
            act(i);
            if (day == all_[i].engaged)
                replay_.give(ChangeStage{.lead = lead(i), .stage = "engaging"});
            if (day == all_[i].closed) close(i);
        }
    }

    void capture(std::size_t i) {
        CaptureLead command{.pipeline = board_.pipeline, .owner = agents_.at(all_[i].agent)};
        if (!all_[i].account.empty()) command.profile.company_name = all_[i].account;
        command.tags = {all_[i].product};
        lead_of_[i] = replay_.give(std::move(command));
    }
    [[nodiscard]] LeadId lead(std::size_t i) { return LeadId(replay_.created(lead_of_[i])); }

    void close(std::size_t i) {
        if (all_[i].stage == "Lost") {
            replay_.give(DisqualifyLead{.lead = lead(i), .lost_reason = "not_told"});
            return;
        }
        ChangeLead valued{.lead = lead(i), .changes = {}};
        valued.changes.expected_value =
            Patch<Money>::set({all_[i].value_minor, *parse_currency("USD")});
        replay_.give(std::move(valued));
        replay_.give(ChangeStage{.lead = lead(i), .stage = "won"});
    }

    static const Column& column(std::string_view stage, const Board& board) {
        return *std::ranges::find(board.columns, stage, &Column::stage);
    }
    static std::int64_t sum_of(const Column& column) {
        return column.sums.empty() ? 0 : column.sums.front().minor;
    }

    const std::vector<Opportunity> all_;
    std::vector<std::size_t> lead_of_;  ///< the command that captured it
    std::map<std::string, UserId> agents_;
    Replay replay_{Engine::rocks};
    GetBoard board_;
};

std::map<std::string, std::uint64_t> expected_counts(const boost::json::value& snapshot) {
    std::map<std::string, std::uint64_t> counts;
    for (const auto& [name, count] : snapshot.at("opportunities_by_stage").as_object()) {
        const bool undated = name == "Prospecting (undated)";
        counts[undated ? "Prospecting" : std::string(name)] = count.to_number<std::uint64_t>();
    }
    return counts;
}

std::int64_t minor(const boost::json::value& whole) {
    return whole.to_number<std::int64_t>() * 100;
}

Timestamp last_day_of(std::string_view month) {
    const auto first = day(fmt::format("{}-01", month)).value();
    const std::chrono::year_month_day date{std::chrono::floor<days>(first)};
    return std::chrono::sys_days{date.year() / date.month() / std::chrono::last};
}

void check_won_by_month(Crm& crm, const boost::json::value& expected) {
    std::int64_t before = 0;
    for (const auto& [month, value] : expected.as_object()) {
        INFO(std::string(month));
        const std::int64_t now = crm.won_minor_at_end_of(last_day_of(month));
        CHECK_EQ(now - before, minor(value));
        before = now;
    }
}

void check_agents(Crm& crm, const boost::json::value& expected) {
    for (const auto& [agent, numbers] : expected.as_object()) {
        INFO(std::string(agent));
        const Crm::Record record = crm.record_of(agent);
        CHECK_EQ(record.won, numbers.at("won").to_number<std::uint64_t>());
        CHECK_EQ(record.lost, numbers.at("lost").to_number<std::uint64_t>());
        CHECK_EQ(record.won_minor, minor(numbers.at("won_value")));
    }
}

}  // namespace

TEST_CASE("sales opportunities replayed stand, at each moment, where their history says") {
    const auto folder = event_logs();
    if (!folder) return;
    const boost::json::value expected = read_json(*folder / "expected/crm_opportunities.json");
    Crm crm(opportunities(*folder));
    crm.run();

    for (const boost::json::value& snapshot : expected.at("snapshots").as_array()) {
        const std::string date(snapshot.at("at_end_of").as_string());
        INFO(date);
        CHECK((crm.counts_at_end_of(*day(date)) == expected_counts(snapshot)));
    }
    CHECK_EQ(crm.won_minor_at_end_of(*day("2017-12-31")), minor(expected.at("won_value_total")));
    check_won_by_month(crm, expected.at("won_value_by_close_month"));
    check_agents(crm, expected.at("agents"));
    crm.replay().check_end();
}

}  // namespace bos::data_test
