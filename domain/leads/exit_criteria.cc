#include "domain/leads/exit_criteria.h"

#include "domain/leads/lead_profile.h"

#include <fmt/format.h>

namespace bos::leads {

namespace {

bool is_worked_through(const Stage& stage) {
    return stage.category == Category::open || stage.category == Category::ongoing;
}

}  // namespace

std::optional<std::string> unmet_criterion(const Stage& stage, const LeadState& lead) {
    if (!stage.exit) return std::nullopt;
    for (const std::string& field : stage.exit->required_fields) {
        if (!is_given(lead.profile, field)) {
            return fmt::format("to leave stage {}, the lead needs the field {}", stage.key, field);
        }
    }
    if (stage.exit->min_score && lead.score < *stage.exit->min_score) {
        return fmt::format("to leave stage {}, the lead needs a score of at least {} and has {}",
                           stage.key, *stage.exit->min_score, lead.score);
    }
    if (stage.exit->outbound_activity && !lead.had_outbound_activity) {
        return fmt::format("to leave stage {}, the lead needs an outbound call, e-mail or meeting",
                           stage.key);
    }
    return std::nullopt;
}

std::optional<std::string> unmet_on_the_way(const PipelineState& pipeline, const Stage& from,
                                            const Stage& to, const LeadState& lead) {
    const auto stages = pipeline.in_use();
    for (std::size_t place = pipeline.place_of(from); place < pipeline.place_of(to); ++place) {
        const Stage& stage = stages[place].definition;
        if (!is_worked_through(stage)) continue;
        if (auto unmet = unmet_criterion(stage, lead)) return unmet;
    }
    return std::nullopt;
}

Checked<void> require_known_fields(const Stage& stage, const std::string& pointer) {
    if (!stage.exit) return {};
    const auto& names = stage.exit->required_fields;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (is_profile_field(names[i])) continue;
        return reject(Rejection::field_not_known,
                      fmt::format("{}/exit/required_fields/{}", pointer, i));
    }
    return {};
}

}  // namespace bos::leads
