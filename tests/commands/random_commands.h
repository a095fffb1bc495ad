#pragma once

#include "schemas/base/arbitrary.h"
#include "tests/commands/requests.h"

#include <algorithm>
#include <string>
#include <vector>

namespace bos::commands::test {

/// Commands about few leads, words and stages, so that they meet.
class RandomCommands {
  public:
    explicit RandomCommands(Draws& draws) : draws_(draws) {}

    void learn(leads::LeadId lead) { leads_.push_back(lead); }
    void learn(const leads::ActivityScheduled& event) { scheduled_.push_back(event); }

    [[nodiscard]] leads::Command next() {
        if (leads_.empty() || draws_.one_in(5)) return a_capture();
        const leads::LeadId lead = leads_[draws_.below(leads_.size())];
        const std::uint64_t kind = draws_.below(22);
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
        if (kind == 11 || kind == 12) return a_schedule(lead);
        // Archived leads are restored soon, since they refuse everything else.
        if (kind == 18) return leads::ArchiveLead{lead};
        if (kind > 18) return leads::RestoreLead{lead};
        if (kind > 12 && kind < 17 && !scheduled_.empty()) return on_activity(kind);
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
    leads::ScheduleActivity a_schedule(leads::LeadId lead) {
        leads::ScheduleActivity command{
            .lead = lead, .kind = leads::ActivityKind::meeting, .due_at = a_time()};
        command.subject = Pii<std::string>(word());
        if (draws_.one_in(2)) command.assignee = draws_.one_in(2) ? anna : ben;
        return command;
    }
    /// About one of the latest, which is open most likely.
    leads::Command on_activity(std::uint64_t kind) {
        const std::size_t recent = std::min<std::size_t>(scheduled_.size(), 12);
        const leads::ActivityScheduled& known =
            scheduled_[scheduled_.size() - 1 - draws_.below(recent)];
        if (kind == 13) return leads::CancelActivity{known.lead, known.activity, {}};
        if (kind == 14) return leads::RescheduleActivity{known.lead, known.activity, a_time()};
        return leads::CompleteActivity{.lead = known.lead,
                                       .activity = known.activity,
                                       .direction = leads::Direction::outbound,
                                       .outcome = Pii<std::string>(word())};
    }
    /// Of few, so that several are due at once.
    Timestamp a_time() { return from_micros(static_cast<std::int64_t>(draws_.below(5))); }
    std::string word() { return one_of({"red", "green", "blue"}); }
    std::string stage() {
        return one_of({"new", "nurture", "contacted", "qualified", "converted"});
    }
    std::string one_of(const std::vector<std::string>& words) {
        return words[draws_.below(words.size())];
    }

    Draws& draws_;
    std::vector<leads::LeadId> leads_;
    std::vector<leads::ActivityScheduled> scheduled_;
};

}  // namespace bos::commands::test
