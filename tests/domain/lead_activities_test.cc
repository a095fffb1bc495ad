#include "domain/leads/limits.h"
#include "tests/domain/leads_history.h"

namespace bos::test {

using namespace leads;

namespace {

ScheduleActivity schedule() {
    return {.lead = the_lead,
            .kind = ActivityKind::meeting,
            .subject = Pii<std::string>("Demo"),
            .body = Pii<std::string>("Bring the contract"),
            .due_at = now + std::chrono::days{3},
            .assignee = ben};
}

CompleteActivity complete(Direction direction = Direction::outbound) {
    return {.lead = the_lead, .activity = the_activity, .direction = direction};
}

RescheduleActivity reschedule(Timestamp due_at) { return {the_lead, the_activity, due_at}; }
CancelActivity cancel() { return {.lead = the_lead, .activity = the_activity}; }

ActivityId numbered(std::size_t number) {
    Uuid id = uuid(static_cast<std::uint8_t>(number));
    id.bytes[14] = static_cast<std::uint8_t>(1 + number / 256);
    return ActivityId(id);
}

/// A lead with so many open activities.
History with_scheduled(std::size_t count) {
    History history = a_lead();
    for (std::size_t i = 0; i < count; ++i)
        history.emplace_back(scheduled(ActivityKind::call, numbered(i)));
    return history;
}

}  // namespace

TEST_CASE("the first outbound activity takes a new lead to contacted") {
    LeadStageChanged automatic = moved("new", "contacted");
    automatic.automatic = true;
    given<Leads>(a_lead())
        .when(log(ActivityKind::call, Direction::outbound))
        .then({called(), automatic});
}

TEST_CASE("which activities take which leads to contacted") {
    struct Row {
        std::string stage;
        ActivityKind kind;
        Direction direction;
        bool moves;
    };
    using enum ActivityKind;
    const Row rows[] = {{"new", call, Direction::outbound, true},
                        {"new", email, Direction::outbound, true},
                        {"new", meeting, Direction::outbound, true},
                        {"new", note, Direction::outbound, false},
                        {"new", call, Direction::inbound, false},
                        {"new", meeting, Direction::internal, false},
                        {"nurture", email, Direction::outbound, true},
                        {"contacted", call, Direction::outbound, false},
                        {"qualified", call, Direction::outbound, false},
                        {"on_hold", call, Direction::outbound, false},
                        {"converted", call, Direction::outbound, false},
                        {"disqualified", call, Direction::outbound, false}};
    for (const Row& row : rows) {
        INFO(row.stage, " ", name_of(row.kind), " ", name_of(row.direction));
        CHECK(
            given<Leads>(a_lead_in(row.stage)).when(log(row.kind, row.direction)).events().size() ==
            (row.moves ? 2 : 1));
    }
}

TEST_CASE("a later outbound activity moves nothing: someone put the lead back") {
    const History put_back = plus(a_lead(), called(), back_then(moved("contacted", "new")));
    given<Leads>(put_back).when(log(ActivityKind::call, Direction::outbound)).then({called()});
}

TEST_CASE("an activity does not carry a lead past criteria that a person would have to override") {
    Stage first = default_pipeline_defined().stages[0];
    first.exit = ExitCriteria{
        .required_fields = {"company_name"}, .min_score = {}, .outbound_activity = true};
    given<Leads>(plus(a_lead(), StageChanged{default_pipeline(), first}))
        .when(log(ActivityKind::call, Direction::outbound))
        .then({called()});
}

TEST_CASE("an activity happened by now, give or take a client's clock") {
    const auto at = [](Timestamp time) {
        LogActivity command = log(ActivityKind::note, Direction::internal);
        command.occurred_at = time;
        return given<Leads>(a_lead()).when(command);
    };
    CHECK(at(now - std::chrono::days{400}).the<ActivityLogged>().occurred_at ==
          now - std::chrono::days{400});
    CHECK(at(now + std::chrono::minutes{5}).the<ActivityLogged>().occurred_at ==
          now + std::chrono::minutes{5});
    at(now + std::chrono::minutes{5} + std::chrono::microseconds{1})
        .rejected(Rejection::time_in_future, "/occurred_at");
}

TEST_CASE("an activity is scheduled with a fresh id and all that was said of it") {
    given<Leads>(a_lead())
        .when(schedule())
        .then({ActivityScheduled{.lead = the_lead,
                                 .activity = ActivityId(fresh_id),
                                 .kind = ActivityKind::meeting,
                                 .subject = Pii<std::string>("Demo"),
                                 .body = Pii<std::string>("Bring the contract"),
                                 .due_at = now + std::chrono::days{3},
                                 .assignee = ben}});
}

TEST_CASE("an activity may be due in the past, and on a lead that is won, lost or waits") {
    for (const char* stage : {"new", "contacted", "on_hold", "converted", "disqualified"}) {
        INFO(stage);
        ScheduleActivity command = schedule();
        command.due_at = now - std::chrono::days{30};
        const auto decided = given<Leads>(a_lead_in(stage)).when(command);
        CHECK(decided.the<ActivityScheduled>().due_at == command.due_at);
    }
}

TEST_CASE("a lead has at most so many open activities, and closing one makes room") {
    const History full = with_scheduled(limits::open_activities);
    given<Leads>(full).when(schedule()).rejected(Rejection::too_many);
    const ActivityCancelled room{.lead = the_lead, .activity = numbered(0), .reason = {}};
    CHECK(given<Leads>(plus(full, room)).when(schedule()).events().size() == 1);
}

TEST_CASE("a completed activity is recorded with its kind, and moves a new lead as a logged one") {
    LeadStageChanged automatic = moved("new", "contacted");
    automatic.automatic = true;
    CompleteActivity command = complete();
    command.outcome = Pii<std::string>("Wants an offer");
    command.duration_minutes = 20;
    ActivityCompleted expected = completed();
    expected.outcome = command.outcome;
    expected.duration_minutes = 20;
    given<Leads>(plus(a_lead(), scheduled())).when(command).then({expected, automatic});
    // What reached out once does not do so again, in either way of recording it.
    given<Leads>(plus(a_lead(), called(), scheduled())).when(complete()).then({completed()});
    const History done = plus(a_lead(), scheduled(), completed());
    given<Leads>(done).when(log(ActivityKind::call, Direction::outbound)).then({called()});
}

TEST_CASE("what is completed moves the leads that what is logged moves") {
    const ActivityKind kinds[] = {ActivityKind::call, ActivityKind::email, ActivityKind::meeting,
                                  ActivityKind::note};
    const Direction directions[] = {Direction::internal, Direction::outbound, Direction::inbound};
    const std::string stages[] = {"new",     "nurture",   "contacted",   "qualified",
                                  "on_hold", "converted", "disqualified"};
    for (const ActivityKind kind : kinds) {
        for (const Direction direction : directions) {
            for (const std::string& stage : stages) {
                INFO(name_of(kind), " ", name_of(direction), " ", stage);
                const History history = plus(a_lead_in(stage), scheduled(kind));
                CHECK(given<Leads>(history).when(complete(direction)).events().size() ==
                      given<Leads>(history).when(log(kind, direction)).events().size());
            }
        }
    }
}

TEST_CASE("a completed activity happened by now, give or take a client's clock") {
    const auto at = [](Timestamp time) {
        CompleteActivity command = complete(Direction::inbound);
        command.occurred_at = time;
        return given<Leads>(plus(a_lead(), scheduled())).when(command);
    };
    CHECK(at(now - std::chrono::days{2}).the<ActivityCompleted>().occurred_at ==
          now - std::chrono::days{2});
    at(now + std::chrono::minutes{5} + std::chrono::microseconds{1})
        .rejected(Rejection::time_in_future, "/occurred_at");
}

TEST_CASE("an activity gets another time, once") {
    const History history = plus(a_lead(), scheduled());
    const Timestamp due_at = scheduled().due_at;
    const Timestamp later = now + std::chrono::days{7};
    given<Leads>(history)
        .when(reschedule(later))
        .then({ActivityRescheduled{the_lead, the_activity, later, due_at}});
    given<Leads>(history).when(reschedule(due_at)).nothing();
    const History moved_on =
        plus(history, ActivityRescheduled{the_lead, the_activity, later, due_at});
    given<Leads>(moved_on).when(reschedule(later)).nothing();
    given<Leads>(moved_on)
        .when(reschedule(now - std::chrono::days{1}))
        .then({ActivityRescheduled{the_lead, the_activity, now - std::chrono::days{1}, later}});
}

TEST_CASE("an activity is cancelled with or without a reason") {
    CancelActivity command = cancel();
    given<Leads>(plus(a_lead(), scheduled()))
        .when(command)
        .then({ActivityCancelled{the_lead, the_activity, {}}});
    command.reason = Pii<std::string>("They called themselves");
    given<Leads>(plus(a_lead(), scheduled()))
        .when(command)
        .then({ActivityCancelled{the_lead, the_activity, command.reason}});
}

TEST_CASE("what is done or cancelled is told from what never was") {
    struct Row {
        std::string name;
        History history;
        std::optional<Rejection> rejection;
    };
    const Row rows[] = {
        {"open", plus(a_lead(), scheduled()), {}},
        {"completed", plus(a_lead(), scheduled(), completed()), Rejection::activity_not_open},
        {"cancelled", plus(a_lead(), scheduled(), ActivityCancelled{the_lead, the_activity, {}}),
         Rejection::activity_not_open},
        {"never scheduled", a_lead(), Rejection::activity_not_found},
        {"logged", plus(a_lead(), called()), Rejection::activity_not_found},
    };
    for (const Row& row : rows) {
        INFO(row.name);
        const auto expect = [&](const auto& command) {
            const auto decided = given<Leads>(row.history).when(command);
            if (row.rejection) {
                decided.rejected(*row.rejection, "/activity");
            } else {
                CHECK(decided.events().size() == 1);
            }
        };
        expect(complete(Direction::inbound));
        expect(reschedule(now + std::chrono::days{9}));
        expect(cancel());
    }
}

TEST_CASE("a lead forgets which activities it closed long ago") {
    History history = plus(a_lead(), scheduled(), completed());
    for (std::size_t i = 0; i < limits::closed_activities; ++i) {
        given<Leads>(history).when(cancel()).rejected(Rejection::activity_not_open, "/activity");
        history = plus(std::move(history), scheduled(ActivityKind::call, numbered(i)),
                       ActivityCancelled{the_lead, numbered(i), {}});
    }
    given<Leads>(history).when(cancel()).rejected(Rejection::activity_not_found, "/activity");
}

TEST_CASE("losing, winning and recycling a lead leave what is scheduled as it is") {
    const History lost = plus(a_lead(), scheduled(), disqualified("new"));
    CHECK(given<Leads>(plus(a_lead(), scheduled()))
              .when(DisqualifyLead{the_lead, "no_budget", {}, {}})
              .events()
              .size() == 1);
    given<Leads>(lost).when(cancel()).then({ActivityCancelled{the_lead, the_activity, {}}});
    CHECK(given<Leads>(lost).when(complete()).events().size() == 1);
    const History recycled =
        plus(lost, back_then(LeadRecycled{the_lead, move("disqualified", "new")}));
    CHECK(given<Leads>(recycled).when(complete()).the<LeadStageChanged>().automatic);
}

}  // namespace bos::test
