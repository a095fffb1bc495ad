#include "gateway/checked_line.h"

#include "schemas/base/digest.h"

namespace bos::gateway {

namespace {

constexpr std::size_t digits = 16;

std::string check_of(std::string_view text) { return to_hex(sha256(text)).substr(0, digits); }

}  // namespace

std::string checked_line(std::string_view text) {
    return std::string(text).append("\t").append(check_of(text));
}

std::optional<std::string_view> text_of_checked(std::string_view line) {
    const std::size_t tab = line.rfind('\t');
    if (tab == std::string_view::npos) return line;
    const std::string_view text = line.substr(0, tab);
    if (line.substr(tab + 1) != check_of(text)) return std::nullopt;
    return text;
}

}  // namespace bos::gateway
