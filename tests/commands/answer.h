#pragma once

#include "commands/tenant_actor.h"
#include "schemas/base/assert.h"

#include <doctest/doctest.h>

#include <memory>
#include <optional>

namespace bos::commands::test {

/// The answer of one command, once there is one.
class Answer {
  public:
    [[nodiscard]] bool given() const { return outcome_->has_value(); }
    [[nodiscard]] const Outcome& outcome() const {
        BOS_ASSERT(given());
        return **outcome_;
    }
    [[nodiscard]] bool is_done() const { return given() && outcome().has_value(); }
    [[nodiscard]] const Done& done() const {
        if (is_error()) FAIL("refused: ", error()->detail);
        REQUIRE(is_done());
        return *outcome();
    }
    [[nodiscard]] leads::LeadId lead() const { return leads::LeadId(done().target.id); }

    /// The refusal, if it is one of this kind.
    template <class Kind>
    [[nodiscard]] const Kind* refusal() const {
        return given() && !outcome() ? std::get_if<Kind>(&outcome().error()) : nullptr;
    }
    [[nodiscard]] const Error* error() const { return refusal<Error>(); }
    [[nodiscard]] bool is_error() const { return error() != nullptr; }
    [[nodiscard]] bool fails_with(Code code) const { return is_error() && error()->code == code; }
    [[nodiscard]] bool is_rejected(leads::Rejection rejection) const {
        const Rejected* rejected = refusal<Rejected>();
        return rejected != nullptr && rejected->info.code == info_of(rejection).code;
    }

    /// To be given to the shard. `also` runs at the answer.
    [[nodiscard]] Reply reply(std::move_only_function<void(const Outcome&)> also = {}) const {
        return [outcome = outcome_, then = std::move(also)](Outcome answered) mutable {
            // Exactly one answer, whatever happens.
            BOS_ASSERT(!outcome->has_value());
            outcome->emplace(std::move(answered));
            if (then) then(**outcome);
        };
    }

  private:
    std::shared_ptr<std::optional<Outcome>> outcome_ = std::make_shared<std::optional<Outcome>>();
};

}  // namespace bos::commands::test
