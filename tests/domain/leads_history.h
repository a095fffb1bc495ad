#pragma once

#include "domain/leads/default_pipeline.h"
#include "domain/leads/leads.h"
#include "tests/domain/given.h"
#include "tests/domain/leads_world.h"

#include <string>
#include <utility>
#include <vector>

// The cast and the past of the scenarios on leads.

namespace bos::test {

[[nodiscard]] inline Uuid uuid(std::uint8_t last) {
    Uuid id;
    id.bytes[0] = 1;
    id.bytes[15] = last;
    return id;
}

inline const leads::LeadId the_lead{uuid(1)};
inline const UserId anna{uuid(2)};
inline const UserId ben{uuid(3)};
inline const UserId clara{uuid(4)};
inline const Uuid fresh_id = uuid(5);
inline const leads::PipelineId other_pipeline{uuid(6)};

inline constexpr std::int64_t second = 1'000'000;
inline const Timestamp capture_time = from_micros(1'800'000'000 * second);
/// One hour after the lead was captured.
inline const Timestamp now = capture_time + std::chrono::hours{1};

/// The module under test, with the facts of the scenario.
struct Leads {
    using Event = leads::Event;
    using Rejection = leads::Rejection;

    leads::Facts facts{
        .now = now, .actor = {.kind = ActorKind::user, .id = anna}, .new_id = fresh_id};

    template <class Command>
    [[nodiscard]] leads::Decision decide(const std::vector<Event>& history,
                                         const Command& command) const {
        LeadsWorld world;
        for (const Event& event : history) world.apply(event);
        return world.decide(command, facts);
    }
};

[[nodiscard]] inline Leads with_override() {
    Leads module;
    module.facts.may_override = true;
    return module;
}
[[nodiscard]] inline Leads who_sees_own() {
    Leads module;
    module.facts.sees_all = false;
    return module;
}
[[nodiscard]] inline Leads by_timer() {
    Leads module;
    module.facts.actor = {.kind = ActorKind::system, .id = UserId()};
    return module;
}

using History = std::vector<leads::Event>;

template <class... Events>
[[nodiscard]] History plus(History history, Events... events) {
    (history.emplace_back(std::move(events)), ...);
    return history;
}

[[nodiscard]] inline History nothing_yet() { return {}; }

[[nodiscard]] inline History a_tenant() {
    History history{leads::default_pipeline_defined()};
    for (leads::ReasonDefined& reason : leads::default_reasons_defined())
        history.emplace_back(std::move(reason));
    return history;
}

[[nodiscard]] inline leads::LeadCaptured captured() {
    return {.lead = the_lead,
            .lead_number = 1,
            .pipeline = leads::default_pipeline(),
            .stage = "new",
            .category = leads::Category::open,
            .profile = {},
            .owner = anna,
            .collaborators = {},
            .tags = {},
            .captured_at = capture_time,
            .captured_by = anna};
}

/// A lead in the first stage, in a tenant as it starts.
[[nodiscard]] inline History a_lead(leads::LeadCaptured event = captured()) {
    return plus(a_tenant(), leads::LeadNumberTaken{.lead_number = 1}, std::move(event));
}

[[nodiscard]] inline leads::Category category_of(const std::string& stage) {
    for (const leads::Stage& known : leads::default_pipeline_defined().stages) {
        if (known.key == stage) return known.category;
    }
    return leads::Category::open;
}

/// A move within the default pipeline, one hour after the lead came to `from`.
[[nodiscard]] inline leads::StageMove move(const std::string& from, const std::string& to) {
    return {.pipeline = leads::default_pipeline(),
            .from = from,
            .to = to,
            .from_category = category_of(from),
            .to_category = category_of(to),
            .time_in_stage_us = 3600 * second,
            .at = now};
}

[[nodiscard]] inline leads::LeadStageChanged moved(const std::string& from, const std::string& to) {
    return {.lead = the_lead, .move = move(from, to)};
}

[[nodiscard]] inline leads::ActivityLogged called() {
    return {.lead = the_lead,
            .activity = leads::ActivityId(fresh_id),
            .kind = leads::ActivityKind::call,
            .direction = leads::Direction::outbound,
            .subject = std::nullopt,
            .body = std::nullopt,
            .occurred_at = now,
            .duration_minutes = std::nullopt};
}

[[nodiscard]] inline leads::LogActivity log(leads::ActivityKind kind, leads::Direction direction) {
    return {.lead = the_lead, .kind = kind, .direction = direction};
}

inline const leads::ActivityId the_activity{uuid(7)};

/// A call that is due in the hour after `now`.
[[nodiscard]] inline leads::ActivityScheduled scheduled(
    leads::ActivityKind kind = leads::ActivityKind::call,
    leads::ActivityId activity = the_activity) {
    return {.lead = the_lead,
            .activity = activity,
            .kind = kind,
            .subject = std::nullopt,
            .body = std::nullopt,
            .due_at = now + std::chrono::hours{1},
            .assignee = std::nullopt};
}
[[nodiscard]] inline leads::ActivityCompleted completed() {
    return {.lead = the_lead,
            .activity = the_activity,
            .kind = leads::ActivityKind::call,
            .direction = leads::Direction::outbound,
            .outcome = std::nullopt,
            .occurred_at = now,
            .duration_minutes = std::nullopt};
}

/// A move in the past: the lead stands in its stage since the capture.
template <class Event>
[[nodiscard]] Event back_then(Event event) {
    event.move.at = capture_time;
    event.move.time_in_stage_us = 0;
    return event;
}

[[nodiscard]] inline leads::LeadHeld held(const std::string& from) {
    return back_then(leads::LeadHeld{
        .lead = the_lead, .move = move(from, "on_hold"), .held_until = {}, .generation = 1});
}
[[nodiscard]] inline leads::LeadDisqualified disqualified(const std::string& from) {
    return back_then(leads::LeadDisqualified{.lead = the_lead,
                                             .move = move(from, "disqualified"),
                                             .lost_reason = "no_budget",
                                             .lost_note = {}});
}

/// A lead that came to a stage of the default pipeline as leads do.
[[nodiscard]] inline History a_lead_in(const std::string& stage) {
    if (stage == "new") return a_lead();
    if (stage == "on_hold") return plus(a_lead(), held("new"));
    if (stage == "disqualified") return plus(a_lead(), disqualified("new"));
    return plus(a_lead(), back_then(moved("new", stage)));
}

}  // namespace bos::test
