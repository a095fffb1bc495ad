#pragma once

#include "schemas/base/arbitrary.h"
#include "tests/commands/requests.h"

#include <string>
#include <vector>

namespace bos::commands::test {

/// Commands about few leads, words and stages, so that they meet.
class RandomCommands {
  public:
    explicit RandomCommands(Draws& draws) : draws_(draws) {}

    void learn(leads::LeadId lead) { leads_.push_back(lead); }

    [[nodiscard]] leads::Command next() {
        if (leads_.empty() || draws_.one_in(5)) return a_capture();
        const leads::LeadId lead = leads_[draws_.below(leads_.size())];
        const std::uint64_t kind = draws_.below(12);
        if (kind == 0) return tag(lead, word());
        if (kind == 1) return leads::UntagLead{.lead = lead, .tag = word()};
        if (kind == 2) return score(lead, static_cast<std::int32_t>(draws_.below(4)));
        if (kind == 3) return rename(lead, word());
        if (kind == 4) return leads::ChangeStage{lead, stage(), std::string("because")};
        if (kind == 5) return leads::DisqualifyLead{.lead = lead, .lost_reason = "other"};
        if (kind == 6) return leads::RecycleLead{.lead = lead};
        if (kind == 7) return leads::HoldLead{.lead = lead};
        if (kind == 8) return leads::ResumeLead{.lead = lead};
        if (kind == 9)
            return leads::AssignLead{.lead = lead, .owner = draws_.one_in(2) ? anna : ben};
        if (kind == 10) return leads::DefineReason{.reason = word(), .label = word()};
        return leads::LogActivity{.lead = lead,
                                  .kind = leads::ActivityKind::call,
                                  .direction = leads::Direction::outbound,
                                  .subject = Pii<std::string>(word())};
    }

  private:
    leads::CaptureLead a_capture() {
        leads::CaptureLead command = capture(word());
        command.profile.family_name = Pii<std::string>(word());
        command.profile.expected_value =
            Money{static_cast<std::int64_t>(draws_.below(1000)), *parse_currency("EUR")};
        if (draws_.one_in(2)) command.owner = anna;
        return command;
    }
    std::string word() { return one_of({"red", "green", "blue"}); }
    std::string stage() {
        return one_of({"new", "nurture", "contacted", "qualified", "converted"});
    }
    std::string one_of(const std::vector<std::string>& words) {
        return words[draws_.below(words.size())];
    }

    Draws& draws_;
    std::vector<leads::LeadId> leads_;
};

}  // namespace bos::commands::test
