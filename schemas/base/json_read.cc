#include "schemas/base/json_read.h"

namespace bos::json_reading {

std::string pointer_to(const std::string& parent, std::string_view name) {
    std::string pointer = parent + '/';
    for (const char c : name) {
        if (c == '~') {
            pointer += "~0";
        } else if (c == '/') {
            pointer += "~1";
        } else {
            pointer += c;
        }
    }
    return pointer;
}

void read(const boost::json::value& json, Money& money, const std::string& pointer,
          Errors& errors) {
    if (!json.is_object()) return wrong_type(pointer, "an object with minor and currency", errors);
    const boost::json::object& object = json.get_object();
    for (const auto& member : object) {
        if (member.key() != "minor" && member.key() != "currency") {
            errors.push_back(
                {pointer_to(pointer, std::string_view(member.key().data(), member.key().size())),
                 "unknown_field", "is not a field of an amount"});
        }
    }
    if (const boost::json::value* minor = object.if_contains("minor")) {
        read(*minor, money.minor, pointer + "/minor", errors);
    } else {
        errors.push_back({pointer + "/minor", "required", "must be given"});
    }
    const boost::json::value* currency = object.if_contains("currency");
    if (currency == nullptr) {
        errors.push_back({pointer + "/currency", "required", "must be given"});
        return;
    }
    std::string code;
    const std::size_t before = errors.size();
    read(*currency, code, pointer + "/currency", errors);
    if (errors.size() != before) return;
    if (const auto parsed = parse_currency(code)) {
        money.currency = *parsed;
    } else {
        errors.push_back(
            {pointer + "/currency", "format", std::string(rule_broken(Format::currency, code))});
    }
}

}  // namespace bos::json_reading
