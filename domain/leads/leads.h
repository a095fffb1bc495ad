#pragma once

#include "domain/decider.h"
#include "schemas/base/actor.h"
#include "schemas/base/time.h"
#include "schemas/leads.gen.h"
#include "schemas/leads_ids.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Leads: what can happen to them and what they become. docs/leads.md tells the rules in prose.

namespace bos::leads {

/// A pipeline's stage; retired ones stay known, since leads may still name them.
struct KnownStage {
    Stage definition;
    std::optional<std::string> remapped_to;  ///< set when retired

    [[nodiscard]] bool retired() const { return remapped_to.has_value(); }

    friend bool operator==(const KnownStage&, const KnownStage&) = default;
};

struct PipelineState {
    static constexpr std::uint16_t aggregate = static_cast<std::uint16_t>(Aggregate::pipeline);

    PipelineId id;
    std::string name;
    std::vector<KnownStage> stages;  ///< those in use in order, retired ones after them

    [[nodiscard]] bool exists() const { return !id.is_nil(); }
    /// The stage in use that `key` stands for today, remaps followed; null when there never was
    /// one.
    [[nodiscard]] const Stage* find(std::string_view key) const;
    /// The stage that was defined with `key`, retired or not.
    [[nodiscard]] const KnownStage* known(std::string_view key) const;
    [[nodiscard]] std::span<const KnownStage> in_use() const;
    /// The first stage in use of a category; null when there is none.
    [[nodiscard]] const Stage* first_of(Category category) const;
    /// The first stage in use with a milestone, among those that leads work their way through
    /// (open, ongoing).
    [[nodiscard]] const Stage* first_with(Milestone milestone) const;
    /// Where a stage in use stands in the order, from 0.
    [[nodiscard]] std::size_t place_of(const Stage& stage) const;
    friend bool operator==(const PipelineState&, const PipelineState&) = default;
};

struct LeadBook {
    static constexpr std::uint16_t aggregate = static_cast<std::uint16_t>(Aggregate::lead_book);

    std::vector<Reason> reasons;  ///< in the order of their definition

    [[nodiscard]] const Reason* find(std::string_view reason) const;
    friend bool operator==(const LeadBook&, const LeadBook&) = default;
};

struct LeadCounter {
    static constexpr std::uint16_t aggregate = static_cast<std::uint16_t>(Aggregate::lead_counter);
    /// Each event says all that there is to say, so the last one is enough to know the state.
    static constexpr bool newest_event_is_state = true;

    std::uint64_t last_number = 0;

    friend bool operator==(const LeadCounter&, const LeadCounter&) = default;
};

/// What was scheduled with a lead and is neither done nor cancelled.
struct ScheduledActivity {
    ActivityId activity;
    ActivityKind kind = ActivityKind::call;
    Timestamp due_at;

    friend bool operator==(const ScheduledActivity&, const ScheduledActivity&) = default;
};

struct LeadState {
    static constexpr std::uint16_t aggregate = static_cast<std::uint16_t>(Aggregate::lead);

    LeadId id;
    LeadProfile profile;
    PipelineId pipeline;
    std::string stage;  ///< as recorded; PipelineState::find follows remaps
    Timestamp stage_since;
    std::optional<UserId> owner;
    UserId created_by;
    std::vector<UserId> collaborators;
    std::vector<std::string> tags;
    std::int32_t score = 0;
    std::vector<std::string> score_reasons;
    bool had_outbound_activity = false;
    std::optional<std::string> held_from;  ///< the stage to resume in, while on hold
    std::optional<Timestamp> held_until;
    std::uint32_t hold_generation = 0;
    std::vector<ScheduledActivity> open_activities;  ///< in the order in which they were scheduled
    std::vector<ActivityId> closed_activities;  ///< the latest that were done or cancelled, oldest
                                                ///< first
    bool archived = false;                      ///< put away: see require_active

    [[nodiscard]] bool exists() const { return !id.is_nil(); }
    friend bool operator==(const LeadState&, const LeadState&) = default;
};

/// What a decision may know beside the aggregate.
struct Facts {
    Timestamp now;
    Actor actor;
    Uuid new_id;                ///< fresh, for what the command makes inside its aggregate
    bool may_override = false;  ///< holds leads:lead:override
    bool sees_all =
        true;  ///< false: sees own or assigned leads only, so what it captures is its own
    const PipelineState* pipeline = nullptr;  ///< the lead's, or the one that the command names;
                                              ///< never null for commands on leads
    const LeadBook* book = nullptr;           ///< never null for commands on leads
    const LeadCounter* counter = nullptr;     ///< never null for CaptureLead
};

using Decision = domain::Decision<Event>;
using States = types<LeadState, PipelineState, LeadBook, LeadCounter>;

[[nodiscard]] LeadState evolve(LeadState lead, const LeadCaptured& event);
[[nodiscard]] LeadState evolve(LeadState lead, const LeadChanged& event);
[[nodiscard]] LeadState evolve(LeadState lead, const LeadAssigned& event);
[[nodiscard]] LeadState evolve(LeadState lead, const CollaboratorAdded& event);
[[nodiscard]] LeadState evolve(LeadState lead, const CollaboratorRemoved& event);
[[nodiscard]] LeadState evolve(LeadState lead, const LeadStageChanged& event);
[[nodiscard]] LeadState evolve(LeadState lead, const LeadQualified& event);
[[nodiscard]] LeadState evolve(LeadState lead, const LeadDisqualified& event);
[[nodiscard]] LeadState evolve(LeadState lead, const LeadRecycled& event);
[[nodiscard]] LeadState evolve(LeadState lead, const LeadHeld& event);
[[nodiscard]] LeadState evolve(LeadState lead, const LeadHoldChanged& event);
[[nodiscard]] LeadState evolve(LeadState lead, const LeadResumed& event);
[[nodiscard]] LeadState evolve(LeadState lead, const LeadScored& event);
[[nodiscard]] LeadState evolve(LeadState lead, const LeadTagged& event);
[[nodiscard]] LeadState evolve(LeadState lead, const LeadUntagged& event);
[[nodiscard]] LeadState evolve(LeadState lead, const ActivityLogged& event);
[[nodiscard]] LeadState evolve(LeadState lead, const ActivityScheduled& event);
[[nodiscard]] LeadState evolve(LeadState lead, const ActivityCompleted& event);
[[nodiscard]] LeadState evolve(LeadState lead, const ActivityRescheduled& event);
[[nodiscard]] LeadState evolve(LeadState lead, const ActivityCancelled& event);
[[nodiscard]] LeadState evolve(LeadState lead, const LeadArchived& event);
[[nodiscard]] LeadState evolve(LeadState lead, const LeadRestored& event);

[[nodiscard]] PipelineState evolve(PipelineState pipeline, const PipelineDefined& event);
[[nodiscard]] PipelineState evolve(PipelineState pipeline, const PipelineRenamed& event);
[[nodiscard]] PipelineState evolve(PipelineState pipeline, const StageAdded& event);
[[nodiscard]] PipelineState evolve(PipelineState pipeline, const StageChanged& event);
[[nodiscard]] PipelineState evolve(PipelineState pipeline, const StagesReordered& event);
[[nodiscard]] PipelineState evolve(PipelineState pipeline, const StageRetired& event);

[[nodiscard]] LeadCounter evolve(LeadCounter counter, const LeadNumberTaken& event);
[[nodiscard]] LeadBook evolve(LeadBook book, const ReasonDefined& event);
[[nodiscard]] LeadBook evolve(LeadBook book, const ReasonRetired& event);

[[nodiscard]] Decision decide(const LeadState& lead, const CaptureLead& command,
                              const Facts& facts);
[[nodiscard]] Decision decide(const LeadState& lead, const ChangeLead& command, const Facts& facts);
[[nodiscard]] Decision decide(const LeadState& lead, const AssignLead& command, const Facts& facts);
[[nodiscard]] Decision decide(const LeadState& lead, const AddCollaborator& command,
                              const Facts& facts);
[[nodiscard]] Decision decide(const LeadState& lead, const RemoveCollaborator& command,
                              const Facts& facts);
[[nodiscard]] Decision decide(const LeadState& lead, const ChangeStage& command,
                              const Facts& facts);
[[nodiscard]] Decision decide(const LeadState& lead, const QualifyLead& command,
                              const Facts& facts);
[[nodiscard]] Decision decide(const LeadState& lead, const DisqualifyLead& command,
                              const Facts& facts);
[[nodiscard]] Decision decide(const LeadState& lead, const RecycleLead& command,
                              const Facts& facts);
[[nodiscard]] Decision decide(const LeadState& lead, const HoldLead& command, const Facts& facts);
[[nodiscard]] Decision decide(const LeadState& lead, const ResumeLead& command, const Facts& facts);
[[nodiscard]] Decision decide(const LeadState& lead, const ScoreLead& command, const Facts& facts);
[[nodiscard]] Decision decide(const LeadState& lead, const TagLead& command, const Facts& facts);
[[nodiscard]] Decision decide(const LeadState& lead, const UntagLead& command, const Facts& facts);
[[nodiscard]] Decision decide(const LeadState& lead, const LogActivity& command,
                              const Facts& facts);
[[nodiscard]] Decision decide(const LeadState& lead, const ScheduleActivity& command,
                              const Facts& facts);
[[nodiscard]] Decision decide(const LeadState& lead, const CompleteActivity& command,
                              const Facts& facts);
[[nodiscard]] Decision decide(const LeadState& lead, const RescheduleActivity& command,
                              const Facts& facts);
[[nodiscard]] Decision decide(const LeadState& lead, const CancelActivity& command,
                              const Facts& facts);
[[nodiscard]] Decision decide(const LeadState& lead, const ArchiveLead& command,
                              const Facts& facts);
[[nodiscard]] Decision decide(const LeadState& lead, const RestoreLead& command,
                              const Facts& facts);

[[nodiscard]] Decision decide(const PipelineState& pipeline, const DefinePipeline& command,
                              const Facts& facts);
[[nodiscard]] Decision decide(const PipelineState& pipeline, const RenamePipeline& command,
                              const Facts& facts);
[[nodiscard]] Decision decide(const PipelineState& pipeline, const AddStage& command,
                              const Facts& facts);
[[nodiscard]] Decision decide(const PipelineState& pipeline, const ChangeStageDefinition& command,
                              const Facts& facts);
[[nodiscard]] Decision decide(const PipelineState& pipeline, const ReorderStages& command,
                              const Facts& facts);
[[nodiscard]] Decision decide(const PipelineState& pipeline, const RetireStage& command,
                              const Facts& facts);

[[nodiscard]] Decision decide(const LeadBook& book, const DefineReason& command,
                              const Facts& facts);
[[nodiscard]] Decision decide(const LeadBook& book, const RetireReason& command,
                              const Facts& facts);

static_assert(domain::is_complete<Facts, Events, Commands>(States{}));

}  // namespace bos::leads
