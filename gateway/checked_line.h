#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bos::gateway {

/// A line of a file in which a changed bit would be read as something else that makes sense: behind
/// the text a tab and the first eight bytes of the text's SHA-256 in hexadecimal. Tells damage, not
/// forgery.
[[nodiscard]] std::string checked_line(std::string_view text);

/// The text of a line; none when it is not what was written. A line without a tab, as an editor or
/// an earlier release leaves it, is taken as it is.
[[nodiscard]] std::optional<std::string_view> text_of_checked(std::string_view line);

}  // namespace bos::gateway
