#include "gateway/request_target.h"

#include "gateway/byte_set.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace bos::gateway {

namespace {

using Refused = std::unexpected<std::string_view>;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_control(char c) { return static_cast<std::uint8_t>(c) < 0x20 || c == 0x7F; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower_case(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), lower);
    return out;
}

int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    return lower(c) - 'a' + 10;
}

/// RFC 3986 2.3 and 2.2.
constexpr bool is_unreserved(char c) {
    return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}
constexpr bool is_sub_delimiter(char c) {
    return std::string_view("!$&'()*+,;=").find(c) != std::string_view::npos;
}

/// With the percent sign of an escape.
constexpr ByteSet path_bytes([](char c) {
    return is_unreserved(c) || is_sub_delimiter(c) || c == ':' || c == '@' || c == '/' || c == '%';
});

/// Wider than RFC 3986: browsers send [ ] { } | ^ ` \ as they are, and here they are only data.
constexpr ByteSet query_bytes([](char c) { return c > 0x20 && c < 0x7F && c != '#'; });

enum class Plus : std::uint8_t { plus, space };

/// Empty on an ill-formed escape.
std::optional<std::string> percent_decoded(std::string_view text, Plus plus) {
    const auto has = [&](char c) { return text.find(c) != std::string_view::npos; };
    if (!has('%') && (plus == Plus::plus || !has('+'))) return std::string(text);
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) {
                return std::nullopt;
            }
            out.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
            i += 2;
        } else {
            out.push_back(text[i] == '+' && plus == Plus::space ? ' ' : text[i]);
        }
    }
    return out;
}

/// %2F and %5C: after decoding nobody could tell them from a separator.
bool hides_separator(std::string_view path) {
    if (path.find('%') == std::string_view::npos) return false;
    const std::string lowered = lower_case(path);
    return lowered.find("%2f") != std::string::npos || lowered.find("%5c") != std::string::npos;
}

bool has_dot_segment(std::string_view path) {
    while (!path.empty()) {
        path.remove_prefix(1);
        const std::string_view segment = path.substr(0, path.find('/'));
        if (segment == "." || segment == "..") return true;
        path.remove_prefix(segment.size());
    }
    return false;
}

std::expected<std::string, std::string_view> decoded_path(std::string_view raw) {
    if (!path_bytes.has_all(raw)) {
        return Refused("the path has a byte that must be percent-encoded");
    }
    if (hides_separator(raw)) return Refused("the path has an encoded separator");
    std::optional<std::string> path = percent_decoded(raw, Plus::plus);
    if (!path) return Refused("the path has an ill-formed percent escape");
    if (std::ranges::any_of(*path, is_control)) return Refused("the path has a control byte");
    if (!is_utf8(*path)) return Refused("the path is not UTF-8");
    if (path->find("//") != std::string::npos) return Refused("the path has an empty segment");
    if (has_dot_segment(*path)) return Refused("the path has a dot segment");
    return *std::move(path);
}

std::expected<Parameters, std::string_view> decoded_query(std::string_view raw) {
    if (!query_bytes.has_all(raw)) {
        return Refused("the query has a byte that must be percent-encoded");
    }
    Parameters query;
    while (!raw.empty()) {
        const std::string_view pair = raw.substr(0, raw.find('&'));
        raw.remove_prefix(std::min(raw.size(), pair.size() + 1));
        if (pair.empty()) continue;
        const std::size_t equals = pair.find('=');
        std::optional<std::string> name = percent_decoded(pair.substr(0, equals), Plus::space);
        std::optional<std::string> value =
            equals == std::string_view::npos
                ? std::string()
                : percent_decoded(pair.substr(equals + 1), Plus::space);
        if (!name || !value) return Refused("the query has an ill-formed percent escape");
        if (!is_utf8(*name) || !is_utf8(*value)) return Refused("the query is not UTF-8");
        if (name->find('\0') != std::string::npos || value->find('\0') != std::string::npos) {
            return Refused("the query has a NUL");
        }
        if (query.has(*name)) return Refused("the query has a name twice");
        query.add(*std::move(name), *std::move(value));
    }
    return query;
}

}  // namespace

bool is_utf8(std::string_view text) {
    // Lead byte ranges and the first continuation byte's limits (Unicode 15, table 3-7).
    struct Form {
        std::uint8_t first_low, first_high, second_low, second_high;
        std::size_t length;
    };
    static constexpr std::array<Form, 8> forms{{{0xC2, 0xDF, 0x80, 0xBF, 2},
                                                {0xE0, 0xE0, 0xA0, 0xBF, 3},
                                                {0xE1, 0xEC, 0x80, 0xBF, 3},
                                                {0xED, 0xED, 0x80, 0x9F, 3},
                                                {0xEE, 0xEF, 0x80, 0xBF, 3},
                                                {0xF0, 0xF0, 0x90, 0xBF, 4},
                                                {0xF1, 0xF3, 0x80, 0xBF, 4},
                                                {0xF4, 0xF4, 0x80, 0x8F, 4}}};
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    for (std::size_t i = 0; i < text.size();) {
        if (byte(i) < 0x80) {
            ++i;
            continue;
        }
        const auto* form = std::ranges::find_if(forms, [&](const Form& candidate) {
            return byte(i) >= candidate.first_low && byte(i) <= candidate.first_high;
        });
        if (form == forms.end() || i + form->length > text.size()) return false;
        if (byte(i + 1) < form->second_low || byte(i + 1) > form->second_high) return false;
        for (std::size_t k = 2; k < form->length; ++k) {
            if (byte(i + k) < 0x80 || byte(i + k) > 0xBF) return false;
        }
        i += form->length;
    }
    return true;
}

bool is_authority(std::string_view text) {
    std::string_view port;
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos || end < 3) return false;
        const std::string_view address = text.substr(1, end - 1);
        if (!std::ranges::all_of(address,
                                 [](char c) { return is_hex(c) || c == ':' || c == '.'; })) {
            return false;
        }
        port = text.substr(end + 1);
    } else {
        const std::size_t colon = text.find(':');
        const std::string_view name = text.substr(0, colon);
        if (name.empty()) return false;
        if (!std::ranges::all_of(name,
                                 [](char c) { return is_unreserved(c) || is_sub_delimiter(c); })) {
            return false;
        }
        port = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
    }
    if (port.empty()) return true;
    port.remove_prefix(1);
    if (port.empty() || port.size() > 5 || !std::ranges::all_of(port, is_digit)) return false;
    int number = 0;
    for (const char c : port) number = number * 10 + (c - '0');
    return number > 0 && number <= 65535 && text[text.size() - port.size() - 1] == ':';
}

std::expected<RequestTarget, std::string_view> parse_target(std::string_view method,
                                                            std::string_view target) {
    RequestTarget result;
    if (target == "*") {
        if (method != "OPTIONS") return Refused("only OPTIONS may ask for *");
        result.path = "*";
        return result;
    }
    if (!target.starts_with('/')) {
        const std::size_t scheme_end = target.find("://");
        if (scheme_end == std::string_view::npos) return Refused("the target starts with no /");
        const std::string scheme = lower_case(target.substr(0, scheme_end));
        if (scheme != "http" && scheme != "https")
            return Refused("the target's scheme is not HTTP");
        target.remove_prefix(scheme_end + 3);
        const std::string_view authority = target.substr(0, target.find_first_of("/?"));
        // RFC 9110 4.2.4: user information in a received http URI is an error.
        if (!is_authority(authority)) return Refused("the target's authority is not host[:port]");
        result.authority = lower_case(authority);
        target.remove_prefix(authority.size());
    }
    const std::size_t question = target.find('?');
    std::string_view raw_path = target.substr(0, question);
    if (raw_path.empty()) raw_path = "/";  // RFC 9110 4.2.3
    auto path = decoded_path(raw_path);
    if (!path) return Refused(path.error());
    result.path = *std::move(path);
    if (question != std::string_view::npos) {
        auto query = decoded_query(target.substr(question + 1));
        if (!query) return Refused(query.error());
        result.query = *std::move(query);
    }
    return result;
}

}  // namespace bos::gateway
