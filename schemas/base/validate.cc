#include "schemas/base/validate.h"

#include <algorithm>

namespace bos {

std::size_t count_code_points(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_email(std::string_view text) {
    static constexpr std::string_view marks = ".!#$%&'*+/=?^_`{|}~-";
    const std::size_t at = text.find('@');
    if (at == std::string_view::npos || at == 0) return false;
    const auto local = [](char c) {
        return is_letter(c) || is_digit(c) || marks.find(c) != marks.npos;
    };
    if (!std::ranges::all_of(text.substr(0, at), local)) return false;
    std::string_view domain = text.substr(at + 1);
    std::size_t labels = 0;
    while (true) {
        const std::size_t dot = domain.find('.');
        const std::string_view label = domain.substr(0, dot);
        const auto allowed = [](char c) { return is_letter(c) || is_digit(c) || c == '-'; };
        if (label.empty() || !std::ranges::all_of(label, allowed)) return false;
        ++labels;
        if (dot == std::string_view::npos) return labels >= 2;
        domain.remove_prefix(dot + 1);
    }
}

bool is_phone(std::string_view text) {
    return text.size() >= 9 && text.size() <= 16 && text[0] == '+' && text[1] != '0' &&
           std::ranges::all_of(text.substr(1), is_digit);
}

bool is_slug(std::string_view text) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
    };
    return !text.empty() && text[0] >= 'a' && text[0] <= 'z' && std::ranges::all_of(text, allowed);
}

}  // namespace

std::string_view rule_broken(Format format, std::string_view text) {
    switch (format) {
        case Format::none:
            return {};
        case Format::email:
            return is_email(text) ? "" : "must be an e-mail address";
        case Format::phone:
            return is_phone(text) ? "" : "must be a phone number as +49301234567 (E.164)";
        case Format::slug:
            return is_slug(text) ? "" : "must be of a-z, 0-9, - and _, starting with a letter";
        case Format::currency:
            return parse_currency(text) ? "" : "must be a currency code as EUR (ISO 4217)";
    }
    return {};
}

}  // namespace bos
