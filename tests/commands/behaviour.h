#pragma once

#include "tests/commands/rig.h"

#include <string>
#include <vector>

// What a shard would answer: aggregates are compared by what they do.

namespace bos::commands::test {

/// All that a client is told, as text.
[[nodiscard]] inline std::string describe(const Outcome& outcome) {
    if (outcome) {
        std::string text =
            fmt::format("done at {} version {} changed {} repeated {}", outcome->position.value,
                        outcome->version.value, outcome->changed, outcome->repeated);
        for (const ForeseenEvent& event : outcome->foreseen) {
            text += fmt::format("\n  {} {} {}", event.type, event.version.value, event.json);
        }
        return text;
    }
    struct Visitor {
        std::string operator()(const Rejected& no) const {
            return fmt::format("rejected {} {} {}", no.info.code, no.pointer, no.detail);
        }
        std::string operator()(const VersionConflict& no) const {
            return fmt::format("version is {}", no.current.value);
        }
        std::string operator()(const KeyReused&) const { return "key reused"; }
        std::string operator()(const Denied& no) const { return "denied " + no.permission; }
        std::string operator()(const Error& no) const {
            return fmt::format("error {} {}", name_of(no.code), no.detail);
        }
    };
    return std::visit(Visitor{}, outcome.error());
}

/// What would happen to every lead under many commands. Writes nothing.
[[nodiscard]] inline std::vector<std::string> behaviour(Rig& rig, Machine& machine,
                                                        const std::vector<leads::LeadId>& all) {
    // Ids that a dry run draws are the same each time.
    machine.random.reseed(99);
    std::vector<std::string> answers;
    const auto foresee = [&](auto command) {
        answers.push_back(describe(rig.ask(dry_run(std::move(command))).outcome()));
    };
    foresee(capture());
    foresee(leads::DefineReason{.reason = "no_budget", .label = "No money"});
    for (const leads::LeadId lead : all) {
        for (const char* word : {"a", "b", "c"}) foresee(tag(lead, word));
        for (const char* stage : {"new", "nurture", "contacted", "qualified", "converted"}) {
            foresee(leads::ChangeStage{.lead = lead, .stage = stage, .override_reason = "why"});
        }
        foresee(score(lead, 77));
        foresee(rename(lead, "Other"));
        foresee(leads::AssignLead{.lead = lead, .owner = ben});
        foresee(leads::DisqualifyLead{.lead = lead, .lost_reason = "no_budget"});
        foresee(leads::RecycleLead{.lead = lead});
        foresee(leads::HoldLead{.lead = lead});
        foresee(leads::ResumeLead{.lead = lead});
    }
    return answers;
}

}  // namespace bos::commands::test
