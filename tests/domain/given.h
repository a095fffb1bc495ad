#pragma once

#include "domain/decider.h"
#include "schemas/base/json_write.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <vector>

// Scenarios of the pure core as data:
//
//     given<leads>(captured()).when(QualifyLead{…}).then({LeadQualified{…}});
//     given<leads>(captured(),
//     disqualified()).when(QualifyLead{…}).rejected(Rejection::lead_disqualified);
//     given<leads>(captured(), tagged("vip")).when(TagLead{…, "vip"}).nothing();
//
// A module describes itself with a struct: Event, Rejection, and decide(const History&, const
// Command&), which folds the events into the states and the facts that a shard would load.

namespace bos::test {

/// The events as a JSON list, one per line, for people who look at a failed test.
template <class Event>
[[nodiscard]] std::string to_lines(const std::vector<Event>& events) {
    std::string lines = "[";
    for (const Event& event : events) {
        std::visit(
            [&](const auto& fact) {
                lines += lines.size() == 1 ? "\n  {\"" : ",\n  {\"";
                lines += std::string(fact.type_name) + "\": " + to_json(fact, ShowPii::plain) + "}";
            },
            event);
    }
    return lines + (events.empty() ? "]" : "\n]");
}

template <class Module>
class Outcome {
  public:
    using Event = typename Module::Event;
    using Rejection = typename Module::Rejection;

    Outcome(std::vector<Event> history, domain::Decision<Event> decision)
        : history_(std::move(history)), decision_(std::move(decision)) {}

    void then(const std::vector<Event>& expected) const {
        INFO("given ", to_lines(history_), "\nexpected ", to_lines(expected), "\nactual ",
             actual());
        CHECK((decision_.has_value() && *decision_ == expected));
    }
    void nothing() const { then({}); }
    void rejected(Rejection expected, const std::string& pointer = "") const {
        const RejectionInfo& info = info_of(expected);
        INFO("given ", to_lines(history_), "\nexpected rejection ", info.code, " at \"", pointer,
             "\"\nactual ", actual());
        CHECK((!decision_.has_value() && decision_.error() == Rejected{info, pointer, ""}));
    }
    /// What was decided, for a scenario that looks at a part of it.
    [[nodiscard]] const std::vector<Event>& events() const {
        INFO("given ", to_lines(history_), "\nactual ", actual());
        REQUIRE(decision_.has_value());
        return *decision_;
    }
    /// The one event of type `E` that was decided.
    template <class E>
    [[nodiscard]] const E& the() const {
        const E* found = nullptr;
        for (const Event& event : events()) {
            if (const E* fact = std::get_if<E>(&event)) found = fact;
        }
        INFO("actual ", actual());
        REQUIRE(found != nullptr);
        return *found;
    }

  private:
    [[nodiscard]] std::string actual() const {
        if (decision_) return to_lines(*decision_);
        const Rejected& no = decision_.error();
        return "rejection " + std::string(no.info.code) + " at \"" + no.pointer + "\" (" +
               no.detail + ")";
    }

    std::vector<Event> history_;
    domain::Decision<Event> decision_;
};

template <class Module>
class Given {
  public:
    using Event = typename Module::Event;

    explicit Given(std::vector<Event> history) : history_(std::move(history)) {}

    /// One more fact before the command.
    [[nodiscard]] Given and_also(Event event) && {
        history_.push_back(std::move(event));
        return std::move(*this);
    }
    template <class Command>
    [[nodiscard]] Outcome<Module> when(const Command& command, const Module& module = {}) const {
        return {history_, module.decide(history_, command)};
    }

  private:
    std::vector<Event> history_;
};

template <class Module, class... Events>
[[nodiscard]] Given<Module> given(Events... events) {
    return Given<Module>({typename Module::Event(std::move(events))...});
}

template <class Module>
[[nodiscard]] Given<Module> given(std::vector<typename Module::Event> history) {
    return Given<Module>(std::move(history));
}

}  // namespace bos::test
