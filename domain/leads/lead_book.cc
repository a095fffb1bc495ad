#include "domain/leads/leads.h"
#include "domain/leads/limits.h"
#include "domain/leads/rejecting.h"

#include <algorithm>

namespace bos::leads {

const Reason* LeadBook::find(std::string_view reason) const {
    const auto found = std::ranges::find(reasons, reason, &Reason::reason);
    return found == reasons.end() ? nullptr : &*found;
}

LeadCounter evolve(LeadCounter counter, const LeadNumberTaken& event) {
    counter.last_number = event.lead_number;
    return counter;
}

LeadBook evolve(LeadBook book, const ReasonDefined& event) {
    const Reason defined{.reason = event.reason, .label = event.label, .retired = false};
    const auto found = std::ranges::find(book.reasons, event.reason, &Reason::reason);
    if (found == book.reasons.end()) {
        book.reasons.push_back(defined);
    } else {
        *found = defined;
    }
    return book;
}

LeadBook evolve(LeadBook book, const ReasonRetired& event) {
    std::ranges::find(book.reasons, event.reason, &Reason::reason)->retired = true;
    return book;
}

Decision decide(const LeadBook& book, const DefineReason& command, const Facts&) {
    const Reason* known = book.find(command.reason);
    if (known != nullptr && !known->retired && known->label == command.label) return {};
    if (known == nullptr && book.reasons.size() >= limits::reasons)
        return reject(Rejection::too_many, "/reason");
    return {{ReasonDefined{.reason = command.reason, .label = command.label}}};
}

Decision decide(const LeadBook& book, const RetireReason& command, const Facts&) {
    const Reason* known = book.find(command.reason);
    if (known == nullptr) return reject(Rejection::reason_not_found, "/reason");
    if (known->retired) return {};
    return {{ReasonRetired{.reason = command.reason}}};
}

}  // namespace bos::leads
