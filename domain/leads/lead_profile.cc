#include "domain/leads/lead_profile.h"

#include "schemas/base/same_fields.h"

namespace bos::leads {

namespace {

template <class T>
bool is_empty(const T&) {
    return false;
}
template <class T>
bool is_empty(const std::vector<T>& items) {
    return items.empty();
}
template <class T>
bool is_empty(const Pii<std::vector<T>>& personal) {
    return personal.plain() != nullptr && personal.plain()->empty();
}
template <class T>
bool is_empty(const std::optional<T>& value) {
    return !value || is_empty(*value);
}

}  // namespace

bool is_profile_field(std::string_view name) {
    bool found = false;
    for_each_field<LeadProfile>([&](const auto& field) { found = found || field.name == name; });
    return found;
}

bool is_given(const LeadProfile& profile, std::string_view name) {
    bool given = false;
    for_each_field<LeadProfile>([&](const auto& field) {
        if (field.name == name) given = !is_empty(profile.*field.member);
    });
    return given;
}

LeadProfile without_empty_lists(LeadProfile profile) {
    for_each_field<LeadProfile>([&](const auto& field) {
        auto& member = profile.*field.member;
        if (is_empty(member)) member = {};
    });
    return profile;
}

LeadProfileChange effective(LeadProfileChange change, const LeadProfile& profile) {
    for_each_patch(change, profile, []<class T>(Patch<T>& patch, const auto& current) {
        if (patch.value() != nullptr && is_empty(*patch.value())) patch = Patch<T>::clear();
        auto after = current;
        patch.apply_to(after);
        if (after == current) patch = {};
    });
    return change;
}

}  // namespace bos::leads
