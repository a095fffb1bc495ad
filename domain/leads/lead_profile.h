#pragma once

#include "schemas/leads.gen.h"

#include <string_view>

namespace bos::leads {

/// True if leads have a field of this name that exit criteria can ask for.
[[nodiscard]] bool is_profile_field(std::string_view name);

/// True if the field is not empty. Sealed and erased data count as given: whether a lead may move
/// on does not depend on who may read it, nor change when a person is forgotten.
[[nodiscard]] bool is_given(const LeadProfile& profile, std::string_view field);

/// An empty list is recorded as none: once sealed, nobody could tell it from a list with items.
[[nodiscard]] LeadProfile without_empty_lists(LeadProfile profile);

/// The change without what is so already; an empty list empties the field. Compares personal data
/// as they stand: plain with plain.
[[nodiscard]] LeadProfileChange effective(LeadProfileChange change, const LeadProfile& profile);

}  // namespace bos::leads
