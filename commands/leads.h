#pragma once

#include "domain/leads/leads.h"
#include "schemas/base/permission.h"
#include "schemas/base/result.h"

#include <algorithm>

namespace bos::commands {

/// What the tenant shard must know of leads: which facts its decisions need, and who may see a
/// lead.
struct Leads {
    using Event = leads::Event;
    using Command = leads::Command;
    using Commands = leads::Commands;
    using States = leads::States;
    using Facts = leads::Facts;

    /// `load.template operator()<State>(id)` gives a pointer to the state of another aggregate of
    /// the tenant.
    template <class Message, class Load>
    static Result<void> gather(const leads::LeadState& lead, const Message& command, Load& load,
                               Facts& facts) {
        leads::PipelineId pipeline = lead.pipeline;
        if constexpr (requires { command.pipeline; }) {
            if (!lead.exists()) pipeline = command.pipeline.value_or(leads::default_pipeline());
        }
        BOS_TRY(facts.pipeline, load.template operator()<leads::PipelineState>(pipeline.value()));
        BOS_TRY(facts.book, load.template operator()<leads::LeadBook>(Uuid{}));
        if constexpr (std::is_same_v<Message, leads::CaptureLead>) {
            BOS_TRY(facts.counter, load.template operator()<leads::LeadCounter>(Uuid{}));
        }
        return {};
    }
    template <class State, class Message, class Load>
    static Result<void> gather(const State&, const Message&, Load&, Facts&) {
        return {};
    }

    [[nodiscard]] static bool visible(const leads::LeadState& lead, const UserId& user,
                                      Scope scope) {
        if (scope == Scope::all || lead.owner == user) return true;
        return scope == Scope::assigned &&
               std::ranges::find(lead.collaborators, user) != lead.collaborators.end();
    }
    template <class State>
    [[nodiscard]] static bool visible(const State&, const UserId&, Scope) {
        return true;
    }
    /// What an aggregate that the caller may not see answers: to the letter what decide says of one
    /// that is not there.
    [[nodiscard]] static Rejected not_found(const leads::LeadState&) {
        return {leads::info_of(leads::Rejection::lead_not_found), "", ""};
    }
    [[nodiscard]] static Rejected not_found(const leads::PipelineState&) {
        return {leads::info_of(leads::Rejection::pipeline_not_found), "", ""};
    }
    [[nodiscard]] static Rejected not_found(const leads::LeadBook&) {
        return {leads::info_of(leads::Rejection::reason_not_found), "", ""};
    }

    static void add_grants(Facts& facts, const Grants& grants) {
        facts.may_override = find_grant(grants, "leads:lead:override") != nullptr;
        facts.sees_all = grants.scope == Scope::all;
    }

    /// Comparing personal fields needs their plain text; the other commands never look at it.
    template <class Message>
    static constexpr bool needs_plain = std::is_same_v<Message, leads::ChangeLead>;
    static leads::LeadProfile& personal(leads::LeadState& lead) { return lead.profile; }
};

}  // namespace bos::commands
