#pragma once

#include "schemas/base/rejection.h"
#include "schemas/base/types.h"

#include <concepts>
#include <expected>
#include <utility>
#include <variant>
#include <vector>

// The pure core (Chassaing's Decider): decide(state, command, facts) -> events | rejection,
// evolve(state, event) -> state. What decide may know beyond the state comes in as facts: time, new
// ids, grants, other aggregates.

namespace bos::domain {

/// What a command leads to: facts, in order, to be written in one commit; none = it is so already;
/// or a no.
template <class Event>
using Decision = std::expected<std::vector<Event>, Rejected>;

/// An aggregate's state: `State{}` is "does not exist", and `State::aggregate` the number of its
/// kind of stream.
template <class S>
concept State = std::default_initializable<S> && requires { S::aggregate; };

template <class S, class E>
concept EvolvesOn = requires(S state, const E& event) {
    { evolve(std::move(state), event) } -> std::same_as<S>;
};

template <class S, class C, class F>
concept Decides =
    requires(const S& state, const C& command, const F& facts) { decide(state, command, facts); };

namespace completeness {

template <class S, class E>
consteval void require_evolve() {
    if constexpr (S::aggregate == E::aggregate) {
        static_assert(EvolvesOn<S, E>, "add: State evolve(State, const Event&) for this event");
    }
}

template <class S, class C, class F>
consteval void require_decide() {
    if constexpr (S::aggregate == C::aggregate) {
        static_assert(
            Decides<S, C, F>,
            "add: Decision decide(const State&, const Command&, const Facts&) for this command");
    }
}

template <class S, class F, class... Es, class... Cs>
consteval void require_all(types<Es...>, types<Cs...>) {
    (require_evolve<S, Es>(), ...);
    (require_decide<S, Cs, F>(), ...);
}

}  // namespace completeness

/// Compiles only if every event of the module evolves its aggregate and every command is decided.
template <class Facts, class Events, class Commands, State... States>
consteval bool is_complete(types<States...>) {
    (completeness::require_all<States, Facts>(Events{}, Commands{}), ...);
    return true;
}

/// Evolves `state` by any event of the module; events of other aggregates leave it as it is.
template <State S, class Event>
[[nodiscard]] S evolve_any(S state, const Event& event) {
    return std::visit(
        [&]<class E>(const E& fact) -> S {
            if constexpr (S::aggregate == E::aggregate) {
                return evolve(std::move(state), fact);
            } else {
                return std::move(state);
            }
        },
        event);
}

}  // namespace bos::domain
