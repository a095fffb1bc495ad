#pragma once

#include "schemas/base/result.h"
#include "schemas/leads.gen.h"

#include <expected>
#include <string>
#include <utility>

namespace bos::leads {

/// A part of a decision: what it found, or the no that ends the decision (BOS_TRY and BOS_CHECK
/// pass it on).
template <class T>
using Checked = std::expected<T, Rejected>;

/// `pointer` names the field of the command that is at fault; `detail` is for people and free of
/// personal data.
[[nodiscard]] inline std::unexpected<Rejected> reject(Rejection rejection, std::string pointer = {},
                                                      std::string detail = {}) {
    return std::unexpected(Rejected{info_of(rejection), std::move(pointer), std::move(detail)});
}

}  // namespace bos::leads
