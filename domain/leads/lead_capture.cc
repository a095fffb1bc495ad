#include "domain/leads/default_pipeline.h"
#include "domain/leads/lead_moves.h"
#include "domain/leads/lead_profile.h"
#include "domain/leads/leads.h"
#include "domain/leads/limits.h"
#include "domain/leads/named_stage.h"
#include "domain/leads/rejecting.h"
#include "schemas/base/assert.h"

#include <fmt/format.h>

#include <algorithm>

namespace bos::leads {

namespace {

template <class T>
std::vector<T> without_repeats(const std::vector<T>& items) {
    std::vector<T> once;
    for (const T& item : items) {
        if (std::ranges::find(once, item) == once.end()) once.push_back(item);
    }
    return once;
}

Checked<void> require_at_most(std::size_t bound, std::size_t size, const std::string& pointer) {
    if (size > bound) return reject(Rejection::too_many, pointer, fmt::format("at most {}", bound));
    return {};
}

/// What the first lead of a tenant brings with it.
std::vector<Event> first_steps(const LeadBook& book) {
    std::vector<Event> events{default_pipeline_defined()};
    if (book.reasons.empty()) {
        for (ReasonDefined& reason : default_reasons_defined())
            events.emplace_back(std::move(reason));
    }
    return events;
}

Checked<const Stage*> starting_stage(const PipelineState& pipeline,
                                     const std::optional<std::string>& key) {
    if (!key) return &pipeline.in_use().front().definition;
    BOS_TRY(const Stage* named, named_stage(pipeline, *key, "/stage"));
    if (named->category != Category::open)
        return reject(Rejection::wrong_category, "/stage", "needed: open");
    return named;
}

}  // namespace

Decision decide(const LeadState& lead, const CaptureLead& command, const Facts& facts) {
    if (lead.exists()) return reject(Rejection::already_exists, "/lead");
    const std::vector<std::string> tags = without_repeats(command.tags);
    const std::vector<UserId> collaborators = without_repeats(command.collaborators);
    BOS_CHECK(require_at_most(limits::tags, tags.size(), "/tags"));
    BOS_CHECK(require_at_most(limits::collaborators, collaborators.size(), "/collaborators"));

    const LeadBook& book = book_in(facts);
    PipelineState pipeline = pipeline_in(facts);
    std::vector<Event> events;
    if (!pipeline.exists()) {
        if (command.pipeline.value_or(default_pipeline()) != default_pipeline()) {
            return reject(Rejection::pipeline_not_found, "/pipeline");
        }
        events = first_steps(book);
        pipeline = evolve(std::move(pipeline), default_pipeline_defined());
    }
    BOS_TRY(const Stage* stage, starting_stage(pipeline, command.stage));

    BOS_ASSERT(facts.counter != nullptr);
    const std::uint64_t number = facts.counter->last_number + 1;
    events.emplace_back(LeadNumberTaken{.lead_number = number});
    events.emplace_back(LeadCaptured{
        .lead = command.lead,
        .lead_number = number,
        .pipeline = pipeline.id,
        .stage = stage->key,
        .category = stage->category,
        .profile = without_empty_lists(command.profile),
        .owner = command.owner || facts.sees_all ? command.owner : std::optional(facts.actor.id),
        .collaborators = collaborators,
        .tags = tags,
        .captured_at = facts.now,
        .captured_by = facts.actor.id});
    return events;
}

}  // namespace bos::leads
