#include "domain/leads/exit_criteria.h"
#include "domain/leads/lead_moves.h"
#include "domain/leads/leads.h"
#include "domain/leads/named_stage.h"
#include "domain/leads/rejecting.h"

namespace bos::leads {

namespace {

/// Where a lead cannot simply move on from, and what the user is told to do about it.
std::optional<Rejection> stopped_by(Category category) {
    if (category == Category::on_hold) return Rejection::lead_on_hold;
    if (category == Category::lost) return Rejection::lead_disqualified;
    return std::nullopt;
}

std::optional<Rejection> ended_by(Category category) {
    if (category == Category::won) return Rejection::lead_won;
    if (category == Category::lost) return Rejection::lead_disqualified;
    return std::nullopt;
}

/// The stage that the command names if it is of the category, or the first of that category.
Checked<const Stage*> stage_for(const PipelineState& pipeline,
                                const std::optional<std::string>& key, Category category) {
    if (!key) {
        const Stage* first = pipeline.first_of(category);
        if (first == nullptr)
            return reject(Rejection::category_missing, "", std::string(name_of(category)));
        return first;
    }
    BOS_TRY(const Stage* named, named_stage(pipeline, *key, "/stage"));
    if (named->category != category) {
        return reject(Rejection::wrong_category, "/stage",
                      "needed: " + std::string(name_of(category)));
    }
    return named;
}

Checked<void> require_defined(const LeadBook& book, const std::string& lost_reason) {
    const Reason* reason = book.find(lost_reason);
    if (reason == nullptr) return reject(Rejection::reason_not_found, "/lost_reason");
    if (reason->retired) return reject(Rejection::reason_retired, "/lost_reason");
    return {};
}

}  // namespace

Decision decide(const LeadState& lead, const ChangeStage& command, const Facts& facts) {
    BOS_CHECK(require_active(lead));
    const PipelineState& pipeline = pipeline_in(facts);
    const Stage& current = stage_of(lead, facts);
    BOS_TRY(const Stage* target, named_stage(pipeline, command.stage, "/stage"));
    if (target->key == current.key) return {};
    if (const auto stopped = stopped_by(current.category)) return reject(*stopped);
    if (target->category == Category::on_hold) return reject(Rejection::use_hold, "/stage");
    if (target->category == Category::lost)
        return reject(Rejection::lost_reason_required, "/stage");
    if (command.override_reason && !facts.may_override) {
        return reject(Rejection::override_not_permitted, "/override_reason");
    }

    const auto unmet = unmet_on_the_way(pipeline, current, *target, lead);
    if (unmet && !command.override_reason)
        return reject(Rejection::exit_criteria_not_met, "/stage", *unmet);
    return {{LeadStageChanged{.lead = lead.id,
                              .move = move_to(*target, lead, facts),
                              .overridden = unmet.has_value(),
                              .override_reason = unmet ? command.override_reason : std::nullopt,
                              .automatic = false}}};
}

Decision decide(const LeadState& lead, const QualifyLead&, const Facts& facts) {
    BOS_CHECK(require_active(lead));
    const PipelineState& pipeline = pipeline_in(facts);
    const Stage& current = stage_of(lead, facts);
    if (const auto stopped = stopped_by(current.category)) return reject(*stopped);
    if (current.category == Category::won) return reject(Rejection::lead_won);
    const Stage* qualified = pipeline.first_with(Milestone::qualified);
    if (qualified == nullptr) return reject(Rejection::milestone_missing, "", "qualified");
    if (pipeline.place_of(current) >= pipeline.place_of(*qualified)) {
        return reject(Rejection::lead_already_qualified);
    }
    if (const auto unmet = unmet_on_the_way(pipeline, current, *qualified, lead)) {
        return reject(Rejection::exit_criteria_not_met, "", *unmet);
    }
    return {{LeadQualified{.lead = lead.id, .move = move_to(*qualified, lead, facts)}}};
}

Decision decide(const LeadState& lead, const DisqualifyLead& command, const Facts& facts) {
    BOS_CHECK(require_active(lead));
    if (const auto ended = ended_by(stage_of(lead, facts).category)) return reject(*ended);
    BOS_CHECK(require_defined(book_in(facts), command.lost_reason));
    BOS_TRY(const Stage* target, stage_for(pipeline_in(facts), command.stage, Category::lost));
    return {{LeadDisqualified{.lead = lead.id,
                              .move = move_to(*target, lead, facts),
                              .lost_reason = command.lost_reason,
                              .lost_note = command.lost_note}}};
}

Decision decide(const LeadState& lead, const RecycleLead& command, const Facts& facts) {
    BOS_CHECK(require_active(lead));
    if (stage_of(lead, facts).category != Category::lost)
        return reject(Rejection::lead_not_disqualified);
    BOS_TRY(const Stage* target, stage_for(pipeline_in(facts), command.stage, Category::open));
    return {{LeadRecycled{.lead = lead.id, .move = move_to(*target, lead, facts)}}};
}

Decision decide(const LeadState& lead, const HoldLead& command, const Facts& facts) {
    BOS_CHECK(require_active(lead));
    const Category category = stage_of(lead, facts).category;
    if (const auto ended = ended_by(category)) return reject(*ended);
    const bool held = category == Category::on_hold;
    if (held && command.held_until == lead.held_until) return {};
    if (command.held_until && *command.held_until <= facts.now) {
        return reject(Rejection::time_not_in_future, "/held_until");
    }
    const std::uint32_t generation = lead.hold_generation + 1;
    if (held) {
        return {{LeadHoldChanged{
            .lead = lead.id, .held_until = command.held_until, .generation = generation}}};
    }
    BOS_TRY(const Stage* target, stage_for(pipeline_in(facts), std::nullopt, Category::on_hold));
    return {{LeadHeld{.lead = lead.id,
                      .move = move_to(*target, lead, facts),
                      .held_until = command.held_until,
                      .generation = generation}}};
}

Decision decide(const LeadState& lead, const ResumeLead& command, const Facts& facts) {
    // A timer is refused too, rather than told that there is nothing to do: an answer would use up
    // the key of this hold, and the restored lead could never be resumed by it.
    BOS_CHECK(require_active(lead));
    const bool held = stage_of(lead, facts).category == Category::on_hold && lead.held_from;
    // A timer that comes late, after the hold ended or got another time, has nothing to say.
    const bool late = command.generation && (!held || *command.generation != lead.hold_generation);
    if (late) return {};
    if (!held) return reject(Rejection::lead_not_on_hold);
    const Stage& back = *pipeline_in(facts).find(*lead.held_from);
    return {{LeadResumed{.lead = lead.id,
                         .move = move_to(back, lead, facts),
                         .automatic = facts.actor.kind == ActorKind::system}}};
}

}  // namespace bos::leads
