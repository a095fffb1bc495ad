#include "tests/data/replay.h"
#include "tests/data/source_data.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>

// Loan applications of a bank, 2011 and 2012. An A_ activity moves the application to the stage of
// its name; an O_ (offer) or W_ (work item) activity is noted on it.

namespace bos::data_test {

namespace {

using namespace leads;

struct LoanEvent {
    Timestamp time;
    std::size_t row = 0;
    std::string application;
    std::string activity;
    std::uint64_t resource = 0;

    [[nodiscard]] bool moves() const { return activity.starts_with("A_"); }
};

std::uint64_t number_in(const std::string& text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

/// By time, then by row.
std::vector<LoanEvent> loan_events(const std::filesystem::path& folder) {
    std::vector<LoanEvent> events;
    for (const CsvRow& row : read_csv(folder / "loan_applications.csv.gz")) {
        events.push_back({.time = parse_timestamp(row.at(2)).value(),
                          .row = events.size(),
                          .application = row.at(0),
                          .activity = row.at(3),
                          .resource = number_in(row.at(5))});
    }
    std::ranges::sort(events, {},
                      [](const LoanEvent& event) { return std::pair(event.time, event.row); });
    return events;
}

Stage stage(std::string activity, Category category) {
    std::string key = activity;
    std::ranges::transform(key, key.begin(), [](char c) {
        return 'A' <= c && c <= 'Z' ? static_cast<char>(c + 32) : c;
    });
    return {.key = std::move(key), .name = std::move(activity), .category = category};
}

std::vector<Stage> stages() {
    return {stage("A_SUBMITTED", Category::open), stage("A_PARTLYSUBMITTED", Category::ongoing),
            stage("A_PREACCEPTED", Category::ongoing), stage("A_ACCEPTED", Category::ongoing),
            stage("A_FINALIZED", Category::ongoing),
            // In any order within a moment, and none of them undoes another.
            stage("A_APPROVED", Category::won), stage("A_REGISTERED", Category::won),
            stage("A_ACTIVATED", Category::won), stage("A_DECLINED", Category::lost),
            stage("A_CANCELLED", Category::lost)};
}

class Loans {
  public:
    explicit Loans(const std::vector<LoanEvent>& events) {
        set_up(events.front().time);
        for (const LoanEvent& event : events) {
            replay_.at(event.time, Replay::user(event.resource));
            if (event.activity == "A_SUBMITTED") {
                captured_[event.application] =
                    replay_.give(CaptureLead{.pipeline = board_.pipeline});
            } else if (event.moves()) {
                move(lead(event.application), stages_.at(event.activity));
            } else {
                replay_.give(LogActivity{.lead = lead(event.application),
                                         .kind = ActivityKind::note,
                                         .subject = Pii<std::string>(event.activity)});
            }
        }
        replay_.finish("loan applications");
    }

    using Counts = std::map<std::string, std::uint64_t>;
    [[nodiscard]] Counts counts_at(Timestamp instant) {
        return counts(replay_.ask_as_of(instant, board_));
    }
    [[nodiscard]] Counts counts_now() { return counts(replay_.ask(board_)); }

    [[nodiscard]] std::map<std::string, FunnelStep> funnel() {
        std::map<std::string, FunnelStep> steps;
        for (FunnelStep& step : replay_.ask(GetFunnel{.pipeline = board_.pipeline}).steps) {
            steps[step.name] = step;
        }
        return steps;
    }
    [[nodiscard]] std::size_t timeline_length(const std::string& application) {
        const GetTimeline query{.lead = lead(application), .limit = 200};
        return replay_.ask(query).items.size();
    }
    Replay& replay() { return replay_; }

  private:
    void set_up(Timestamp first) {
        replay_.at(first - std::chrono::seconds(1), Replay::user(0));
        for (Stage& each : stages()) stages_.emplace(each.name, each);
        const std::size_t pipeline = replay_.give(
            DefinePipeline{.pipeline = {}, .name = "Loan applications", .stages = stages()});
        replay_.give(DefineReason{.reason = "a_declined", .label = "Declined by the bank"});
        replay_.give(DefineReason{.reason = "a_cancelled", .label = "Cancelled"});
        board_.pipeline = PipelineId(replay_.created(pipeline));
        board_.cards = 0;
    }
    [[nodiscard]] LeadId lead(const std::string& application) {
        return LeadId(replay_.created(captured_.at(application)));
    }
    void move(LeadId lead, const Stage& to) {
        if (to.category == Category::lost) {
            replay_.give(DisqualifyLead{.lead = lead, .lost_reason = to.key, .stage = to.key});
        } else {
            replay_.give(ChangeStage{.lead = lead, .stage = to.key});
        }
    }
    static Counts counts(const Board& board) {
        Counts counts;
        for (const Column& column : board.columns) {
            if (column.lead_count > 0) counts[column.name] = column.lead_count;
        }
        return counts;
    }

    // In memory: an application is submitted seconds before it goes on, so each would wait alone
    // for the disk.
    Replay replay_{Engine::memory};
    GetBoard board_;
    std::map<std::string, Stage> stages_;          ///< by activity
    std::map<std::string, std::size_t> captured_;  ///< application -> command
};

Loans::Counts counts_of(const boost::json::value& states) {
    Loans::Counts counts;
    for (const auto& [state, count] : states.as_object()) {
        counts[std::string(state)] = count.to_number<std::uint64_t>();
    }
    return counts;
}

void check_funnel(Loans& loans, const boost::json::value& expected) {
    Loans::Counts entered{{"A_SUBMITTED", expected.at("cases").to_number<std::uint64_t>()}};
    Loans::Counts left;
    for (const boost::json::value& change : expected.at("state_changes").as_array()) {
        const auto count = change.at("count").to_number<std::uint64_t>();
        entered[std::string(change.at("to").as_string())] += count;
        left[std::string(change.at("from").as_string())] += count;
    }
    const Loans::Counts seconds = counts_of(expected.at("seconds_in_state_total"));
    for (const auto& [state, step] : loans.funnel()) {
        INFO(state);
        CHECK_EQ(step.entered, entered[state]);
        CHECK_EQ(step.left, left[state]);
        if (left[state] == 0) continue;
        const double mean =
            static_cast<double>(seconds.at(state)) / static_cast<double>(left[state]);
        CHECK(std::abs(static_cast<double>(step.mean_seconds_in_stage.value()) - mean) <= 1.0);
    }
}

/// A lead's past is as long as its application's.
void check_longest_timeline(Loans& loans, const std::vector<LoanEvent>& events) {
    std::map<std::string, std::size_t> lengths;
    for (const LoanEvent& event : events) ++lengths[event.application];
    const auto longest =
        std::ranges::max_element(lengths, {}, [](const auto& entry) { return entry.second; });
    CHECK_EQ(loans.timeline_length(longest->first), longest->second);
}

}  // namespace

TEST_CASE("loan applications replayed stand, at each moment, where their history says") {
    const auto folder = event_logs();
    if (!folder) return;
    const boost::json::value expected = read_json(*folder / "expected/loan_applications.json");
    const std::vector<LoanEvent> events = loan_events(*folder);
    REQUIRE_EQ(events.size(), expected.at("events").to_number<std::size_t>());
    Loans loans(events);

    for (const boost::json::value& snapshot : expected.at("snapshots").as_array()) {
        const std::string instant(snapshot.at("at").as_string());
        INFO(instant);
        CHECK((loans.counts_at(parse_timestamp(instant).value()) ==
               counts_of(snapshot.at("cases_by_state"))));
    }
    CHECK((loans.counts_now() == counts_of(expected.at("final_state"))));
    check_funnel(loans, expected);
    check_longest_timeline(loans, events);
    loans.replay().check_end();
}

}  // namespace bos::data_test
