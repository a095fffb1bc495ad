#include "schemas/base/assert.h"
#include "schemas/base/keys.h"
#include "schemas/base/money.h"
#include "schemas/base/result.h"
#include "schemas/base/tenant.h"
#include "schemas/base/uuid.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace bos {

void assertion_failed(const char* expression, const char* file, int line) {
    std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
    std::fflush(stderr);
    std::abort();
}

std::string_view name_of(Code code) {
    static constexpr std::string_view names[] = {"not_found", "conflict", "unavailable", "unknown",
                                                 "full",      "corrupt",  "invalid",     "denied"};
    return names[static_cast<std::size_t>(code)];
}

std::string to_string(const Uuid& uuid) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(36);
    for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
        text.push_back(digits[uuid.bytes[i] >> 4]);
        text.push_back(digits[uuid.bytes[i] & 15]);
    }
    return text;
}

namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::optional<Uuid> parse_uuid(std::string_view text) {
    if (text.size() != 36) return std::nullopt;
    Uuid uuid;
    std::size_t at = 0;
    for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            if (text[at++] != '-') return std::nullopt;
        }
        const int high = hex_value(text[at]);
        const int low = hex_value(text[at + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        uuid.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
        at += 2;
    }
    return uuid;
}

std::optional<TenantId> TenantId::parse(std::string_view text) {
    if (text.empty() || text.size() > 63 || text.front() == '-') return std::nullopt;
    for (const char c : text) {
        const bool allowed = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        if (!allowed) return std::nullopt;
    }
    return TenantId(std::string(text));
}

std::optional<Currency> parse_currency(std::string_view text) {
    Currency currency;
    if (text.size() != currency.letters.size()) return std::nullopt;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] < 'A' || text[i] > 'Z') return std::nullopt;
        currency.letters[i] = text[i];
    }
    return currency;
}

std::string after_prefix(std::string_view prefix) {
    std::string next(prefix);
    while (!next.empty()) {
        const auto last = static_cast<unsigned char>(next.back());
        if (last != 0xFF) {
            next.back() = static_cast<char>(last + 1);
            return next;
        }
        next.pop_back();
    }
    return next;
}

}  // namespace bos
