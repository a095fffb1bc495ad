#include "schemas/base/arbitrary.h"
#include "schemas/base/codec.h"
#include "tests/domain/leads_history.h"

#include <rapidcheck.h>

#include <algorithm>

// Random commands, most of them about few leads, few stages and few tags, so that they meet.

namespace bos::test {

using namespace leads;

namespace {

const std::vector<std::string> stage_keys{"new",     "nurture",   "contacted",    "qualified",
                                          "on_hold", "converted", "disqualified", "extra",
                                          "more",    "gone"};
const std::vector<std::string> words{"red", "green", "blue"};
const std::vector<std::string> reason_keys{"no_budget", "competitor", "bad_weather"};

template <class T>
const T& pick(Draws& draws, const std::vector<T>& items) {
    return items[draws.below(items.size())];
}

Uuid pick_id(Draws& draws, std::uint8_t first, std::uint64_t count) {
    return uuid(static_cast<std::uint8_t>(first + draws.below(count)));
}

/// Replaces what would almost never meet by chance: ids and keys.
struct Narrow {
    Draws& draws;

    void operator()(std::string_view, LeadId& id) const { id = LeadId(pick_id(draws, 10, 3)); }
    void operator()(std::string_view, PipelineId& id) const {
        id = draws.one_in(3) ? PipelineId(pick_id(draws, 20, 2)) : default_pipeline();
    }
    void operator()(std::string_view, UserId& id) const { id = UserId(pick_id(draws, 30, 3)); }
    void operator()(std::string_view name, std::string& text) const {
        if (name == "stage" || name == "before" || name == "remap_to" || name == "key")
            text = pick(draws, stage_keys);
        if (name == "reason" || name == "lost_reason") text = pick(draws, reason_keys);
        if (name == "tag" || name == "tags") text = pick(draws, words);
        if (name == "stages") text = pick(draws, stage_keys);
        if (name == "required_fields") text = draws.one_in(8) ? "shoe_size" : "company_name";
    }
    template <class T>
    void operator()(std::string_view name, std::optional<T>& value) const {
        if (name == "pipeline" && draws.one_in(2)) value.reset();
        if (value) (*this)(name, *value);
    }
    template <class T>
    void operator()(std::string_view name, std::vector<T>& items) const {
        for (T& item : items) (*this)(name, item);
    }
    template <Reflected T>
    void operator()(std::string_view, T& table) const {
        for_each_field<T>([&](const auto& field) { (*this)(field.name, table.*field.member); });
    }
    template <class T>
    void operator()(std::string_view, T&) const {}
};

/// Most commands on an activity name one of the lead, open or closed.
template <class C>
void name_known_activity(Draws& draws, const LeadsWorld& world, C& command) {
    const auto found = world.lead_states.find(command.lead.value());
    if (found == world.lead_states.end() || draws.one_in(8)) return;
    const LeadState& lead = found->second;
    std::vector<ActivityId> known = lead.closed_activities;
    if (!lead.open_activities.empty() && !draws.one_in(4)) known.clear();
    for (const ScheduledActivity& open : lead.open_activities) known.push_back(open.activity);
    if (!known.empty()) command.activity = pick(draws, known);
}

template <class C>
C draw_command(Draws& draws, const LeadsWorld& world) {
    C command = arbitrary<C>(draws);
    Narrow{draws}("", command);
    if constexpr (requires { command.activity; }) name_known_activity(draws, world, command);
    return command;
}

/// A list of all stages now and then, which no chance would hit.
ReorderStages a_real_order(Draws& draws, const LeadsWorld& world) {
    ReorderStages command{default_pipeline(), {}};
    const auto found = world.pipelines.find(default_pipeline().value());
    if (found == world.pipelines.end()) return command;
    for (const KnownStage& known : found->second.in_use())
        command.stages.push_back(known.definition.key);
    const auto swap = [&] {
        return static_cast<std::ptrdiff_t>(draws.below(command.stages.size()));
    };
    std::iter_swap(command.stages.begin() + swap(), command.stages.begin() + swap());
    return command;
}

Command draw_any(Draws& draws, const LeadsWorld& world) {
    const std::uint64_t wanted = draws.below(Commands::size + 10);
    if (wanted == Commands::size) return a_real_order(draws, world);
    // What is never scheduled cannot be done.
    if (wanted == Commands::size + 3) return draw_command<ScheduleActivity>(draws, world);
    if (wanted == Commands::size + 4) return draw_command<CompleteActivity>(draws, world);
    // What is archived is left alone too often to find anything out.
    if (wanted == Commands::size + 2) return draw_command<RestoreLead>(draws, world);
    // A tenant without leads is soon left behind; activities are what most days consist of.
    if (wanted == Commands::size + 1) return draw_command<LogActivity>(draws, world);
    if (wanted > Commands::size) return draw_command<CaptureLead>(draws, world);
    Command command;
    std::uint64_t index = 0;
    for_each_type(Commands{}, [&]<class C>() {
        if (index++ == wanted) command = draw_command<C>(draws, world);
    });
    return command;
}

Facts draw_facts(Draws& draws, Timestamp& clock) {
    // The clock stands still or goes back a little now and then.
    clock += std::chrono::seconds{draws.between(-60, 86'400)};
    Facts facts{.now = clock,
                .actor = {.kind = ActorKind::user, .id = UserId(pick_id(draws, 30, 3))},
                .new_id = uuid(0)};
    facts.may_override = draws.one_in(2);
    facts.new_id = arbitrary<PipelineRenamed>(draws).pipeline.value();
    return facts;
}

/// An activity is open once, or closed, or neither.
void must_be_sound(const LeadState& lead) {
    RC_ASSERT(lead.open_activities.size() <= 50U);
    RC_ASSERT(lead.closed_activities.size() <= 200U);
    std::vector<ActivityId> known = lead.closed_activities;
    for (const ScheduledActivity& open : lead.open_activities) known.push_back(open.activity);
    std::ranges::sort(known);
    RC_ASSERT(std::ranges::adjacent_find(known) == known.end());
}

void must_be_sound(const LeadsWorld& world) {
    for (const auto& [id, pipeline] : world.pipelines) {
        const auto used = pipeline.in_use();
        RC_ASSERT(!used.empty());
        RC_ASSERT(used.front().definition.category == Category::open);
        RC_ASSERT(pipeline.first_of(Category::lost) != nullptr);
        for (const KnownStage& known : pipeline.stages) {
            const Stage* today = pipeline.find(known.definition.key);
            RC_ASSERT(today != nullptr);
            RC_ASSERT(today->category == known.definition.category);
        }
    }
    for (const auto& [id, lead] : world.lead_states) {
        RC_ASSERT(lead.id.value() == id);
        const Stage* stage = world.pipelines.at(lead.pipeline.value()).find(lead.stage);
        RC_ASSERT(stage != nullptr);
        RC_ASSERT((stage->category == Category::on_hold) == lead.held_from.has_value());
        RC_ASSERT(lead.tags.size() <= 50U);
        RC_ASSERT(lead.collaborators.size() <= 20U);
        must_be_sound(lead);
    }
}

template <class E>
void must_survive_its_bytes(const E& event) {
    const auto decoded = decode<E>(encode(event));
    RC_ASSERT(decoded.has_value());
    RC_ASSERT((*decoded == event));
}

void must_be_a_stay(const Event& event) {
    std::visit(
        []<class E>(const E& fact) {
            if constexpr (requires { fact.move; }) RC_ASSERT(fact.move.time_in_stage_us >= 0);
        },
        event);
}

}  // namespace

TEST_CASE("whatever is asked, leads and pipelines stay sound, and every fact survives its bytes") {
    std::size_t accepted = 0;
    std::size_t refused = 0;
    std::size_t moves = 0;
    std::size_t completed = 0;
    CHECK(rc::check("commands keep the world sound", [&](std::uint64_t seed) {
        Draws draws(seed);
        LeadsWorld world;
        History history;
        Timestamp clock = capture_time;
        for (int step = 0; step < 60; ++step) {
            const Command command = draw_any(draws, world);
            const Facts facts = draw_facts(draws, clock);
            const auto ask = [&] {
                return std::visit([&](const auto& message) { return world.decide(message, facts); },
                                  command);
            };
            const Decision decision = ask();
            RC_ASSERT((ask() == decision));
            if (!decision) {
                ++refused;
                RC_ASSERT(decision.error().pointer.empty() ||
                          decision.error().pointer.starts_with('/'));
                continue;
            }
            ++accepted;
            for (const Event& event : *decision) {
                std::visit([](const auto& fact) { must_survive_its_bytes(fact); }, event);
                must_be_a_stay(event);
                if (std::holds_alternative<LeadStageChanged>(event)) ++moves;
                if (std::holds_alternative<ActivityCompleted>(event)) ++completed;
                world.apply(event);
                history.push_back(event);
            }
            must_be_sound(world);
        }
        LeadsWorld replayed;
        for (const Event& event : history) replayed.apply(event);
        RC_ASSERT((replayed == world));
    }));
    // The draws are worth something only if they get somewhere.
    MESSAGE("accepted ", accepted, ", refused ", refused, ", stage changes ", moves,
            ", activities completed ", completed);
    CHECK(accepted > refused / 10);
    CHECK(completed > 0);
    CHECK(moves > 0);
}

TEST_CASE("a command that says how things are to be changes nothing the second time") {
    CHECK(rc::check("repeated commands give nothing", [](std::uint64_t seed) {
        Draws draws(seed);
        LeadsWorld world;
        for (const Event& event : a_lead()) world.apply(event);
        Timestamp clock = now;
        const Facts facts = draw_facts(draws, clock);
        const auto twice_is_once = [&]<class C>() {
            C command = arbitrary<C>(draws);
            if constexpr (requires { command.lead; }) command.lead = the_lead;
            if constexpr (requires { command.pipeline; }) command.pipeline = default_pipeline();
            const Decision first = world.decide(command, facts);
            if (!first) return;
            for (const Event& event : *first) world.apply(event);
            const Decision second = world.decide(command, facts);
            RC_ASSERT((second == Decision(std::vector<Event>{})));
        };
        for_each_type(
            types<ChangeLead, AssignLead, AddCollaborator, RemoveCollaborator, ScoreLead, TagLead,
                  UntagLead, RenamePipeline, DefineReason, ArchiveLead, RestoreLead>{},
            twice_is_once);
    }));
}

TEST_CASE("lead numbers count from one without gaps") {
    LeadsWorld world;
    std::uint64_t expected = 0;
    for (std::uint8_t i = 0; i < 50; ++i) {
        const Decision decision = world.decide(CaptureLead{.lead = LeadId(uuid(i))}, Leads{}.facts);
        REQUIRE(decision.has_value());
        for (const Event& event : *decision) world.apply(event);
        const auto& captured_lead = std::get<LeadCaptured>(decision->back());
        CHECK(captured_lead.lead_number == ++expected);
    }
    CHECK(world.counter.last_number == 50);
}

}  // namespace bos::test
