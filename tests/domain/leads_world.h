#pragma once

#include "domain/leads/leads.h"

#include <map>
#include <vector>

namespace bos::test {

/// All of a tenant's leads, pipelines and its book, folded from events: what a shard loads, without
/// the shard.
struct LeadsWorld {
    std::map<Uuid, leads::LeadState> lead_states;
    std::map<Uuid, leads::PipelineState> pipelines;
    leads::LeadBook book;
    leads::LeadCounter counter;

    void apply(const leads::Event& event) {
        const StreamId stream = std::visit([](const auto& fact) { return fact.stream(); }, event);
        if (stream.type == leads::LeadState::aggregate) {
            lead_states[stream.id] = domain::evolve_any(lead_states[stream.id], event);
        } else if (stream.type == leads::PipelineState::aggregate) {
            pipelines[stream.id] = domain::evolve_any(pipelines[stream.id], event);
        } else {
            book = domain::evolve_any(book, event);
            counter = domain::evolve_any(counter, event);
        }
    }

    template <class Command>
    [[nodiscard]] leads::Decision decide(const Command& command, leads::Facts facts) const {
        facts.book = &book;
        facts.counter = &counter;
        if constexpr (Command::aggregate == leads::LeadState::aggregate) {
            const leads::LeadState lead = or_new(lead_states, command.lead.value());
            leads::PipelineId pipeline = lead.pipeline;
            if constexpr (requires { command.pipeline; }) {
                if (!lead.exists()) pipeline = command.pipeline.value_or(leads::default_pipeline());
            }
            const leads::PipelineState loaded = or_new(pipelines, pipeline.value());
            facts.pipeline = &loaded;
            return leads::decide(lead, command, facts);
        } else if constexpr (Command::aggregate == leads::PipelineState::aggregate) {
            return leads::decide(or_new(pipelines, command.pipeline.value()), command, facts);
        } else {
            return leads::decide(book, command, facts);
        }
    }

    friend bool operator==(const LeadsWorld&, const LeadsWorld&) = default;

  private:
    template <class State>
    static State or_new(const std::map<Uuid, State>& states, const Uuid& id) {
        const auto found = states.find(id);
        return found == states.end() ? State{} : found->second;
    }
};

}  // namespace bos::test
