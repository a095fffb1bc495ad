#include "schemas/base/validate.h"

#include "schemas/leads.gen.h"

#include <doctest/doctest.h>

namespace bos::test {

namespace {

struct Row {
    std::string text;
    bool good;
};

void check_all(Format format, std::initializer_list<Row> rows) {
    for (const Row& row : rows) {
        INFO(row.text);
        CHECK(rule_broken(format, row.text).empty() == row.good);
    }
}

}  // namespace

TEST_CASE("what is an e-mail address") {
    check_all(Format::email, {{"ada@engines.example", true},
                              {"ada.lovelace+crm@mail.engines.example", true},
                              {"o'hara@engines.example", true},
                              {"a@b.c", true},
                              {"ada@xn--mller-kva.example", true},
                              {"", false},
                              {"ada", false},
                              {"@engines.example", false},
                              {"ada@", false},
                              {"ada@engines", false},
                              {"ada@@engines.example", false},
                              {"ada@engines..example", false},
                              {"ada@.example", false},
                              {"ada@engines.example.", false},
                              {"ada lovelace@engines.example", false},
                              {"ada@engines .example", false},
                              {"\"ada\"@engines.example", false},
                              {"ada@[127.0.0.1]", false},
                              {"<ada@engines.example>", false},
                              {"äda@engines.example", false},
                              {"ada@engines.example\n", false}});
}

TEST_CASE("what is a phone number of E.164") {
    check_all(Format::phone, {{"+49301234567", true},
                              {"+12025550123", true},
                              {"+12345678", true},
                              {"+123456789012345", true},
                              {"+1234567", false},
                              {"+1234567890123456", false},
                              {"49301234567", false},
                              {"0049301234567", false},
                              {"+0301234567", false},
                              {"+49 30 1234567", false},
                              {"+49-30-1234567", false},
                              {"+4930123456a", false},
                              {"+", false},
                              {"", false},
                              {"+٤٩٣٠١٢٣٤", false}});
}

TEST_CASE("what is a key") {
    check_all(Format::slug, {{"new", true},
                             {"on_hold", true},
                             {"step-2", true},
                             {"a", true},
                             {"", false},
                             {"2nd", false},
                             {"_a", false},
                             {"-a", false},
                             {"New", false},
                             {"a b", false},
                             {"ä", false},
                             {"a.b", false}});
}

TEST_CASE("what is a currency") {
    check_all(Format::currency, {{"EUR", true},
                                 {"XXX", true},
                                 {"eur", false},
                                 {"EU", false},
                                 {"EURO", false},
                                 {"", false}});
}

TEST_CASE("lengths count code points, not bytes") {
    CHECK(count_code_points("") == 0);
    CHECK(count_code_points("abc") == 3);
    CHECK(count_code_points("äöü") == 3);
    CHECK(count_code_points("漢字🦊") == 3);
    leads::TagLead command{.lead = leads::LeadId(Uuid{{1}}), .tag = {}};
    const auto errors_with = [&](std::string tag) {
        command.tag = std::move(tag);
        std::vector<FieldError> errors;
        validate(command, "", errors);
        return errors.size();
    };
    std::string foxes;
    for (int i = 0; i < 40; ++i) foxes += "🦊";
    CHECK(errors_with(foxes) == 0);
    CHECK(errors_with(foxes + "a") == 1);
    CHECK(errors_with("") == 1);
}

TEST_CASE("an error names the rule and never the value") {
    leads::LeadProfile profile;
    profile.emails =
        Pii<std::vector<std::string>>(std::vector<std::string>{"ada@engines.example", "secret"});
    std::vector<FieldError> errors;
    validate(profile, "", errors);
    REQUIRE(errors.size() == 1);
    CHECK(errors[0] == FieldError{"/emails/1", "format", "must be an e-mail address"});
}

}  // namespace bos::test
