#include "schemas/base/arbitrary.h"
#include "schemas/base/json_read.h"
#include "schemas/base/json_write.h"
#include "schemas/leads.gen.h"

#include <boost/json.hpp>
#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace bos::test {

namespace {

/// A field that holds JSON as text shows as that JSON; it is written, never read.
template <class T>
bool is_written_only() {
    bool found = false;
    for_each_field<T>([&]<class F>(const F& field) {
        found = found || field.rules.json;
        using Value = typename F::value_type;
        if constexpr (is_vector<Value>::value) {
            if constexpr (Reflected<typename Value::value_type>)
                found = found || is_written_only<typename Value::value_type>();
        }
    });
    return found;
}

template <class T>
std::vector<FieldError> errors_of(const std::string& json, T& message) {
    std::vector<FieldError> errors;
    read_json(boost::json::parse(json), message, errors);
    if (errors.empty()) validate(message, "", errors);
    return errors;
}

}  // namespace

TEST_CASE("every message survives its JSON") {
    for_each_type(leads::Tables{}, []<class T>() {
        if (is_written_only<T>()) return;
        INFO(T::type_name);
        CHECK(rc::check(std::string(T::type_name) + " reads what was written",
                        [](std::uint64_t seed) {
                            const T message = arbitrary_of<T>(seed);
                            const std::string json = to_json(message, ShowPii::plain);
                            T read;
                            const std::vector<FieldError> errors = errors_of(json, read);
                            RC_ASSERT(errors.empty());
                            RC_ASSERT((read == message));
                        }));
    });
}

TEST_CASE("personal data shows as dots unless it is asked for, and erased data says so") {
    leads::LeadDisqualified event{.lost_note = Pii<std::string>("said he moves to Oslo")};
    CHECK(to_json(event).find("Oslo") == std::string::npos);
    CHECK(to_json(event).find(R"("lost_note":"•••")") != std::string::npos);
    CHECK(to_json(event, ShowPii::plain).find("Oslo") != std::string::npos);
    event.lost_note = Pii<std::string>(Sealed{"bytes"});
    CHECK(to_json(event, ShowPii::plain).find(R"("lost_note":"•••")") != std::string::npos);
    event.lost_note = Pii<std::string>(Erased{});
    CHECK(to_json(event).find(R"("lost_note":{"erased":true})") != std::string::npos);
}

TEST_CASE("what is wrong with a body is told field by field") {
    struct Row {
        std::string json;
        FieldError error;
    };
    const Row rows[] = {
        {R"([])", {"", "type", "must be an object"}},
        {R"({"kind":"call","colour":"red"})",
         {"/colour", "unknown_field", "is not a field of this request"}},
        {R"({"kind":"call","a/b~c":1})",
         {"/a~1b~0c", "unknown_field", "is not a field of this request"}},
        {R"({})", {"/kind", "required", "must be given"}},
        {R"({"kind":"fax"})", {"/kind", "type", "must be one of call, email, meeting, note"}},
        {R"({"kind":1})", {"/kind", "type", "must be one of call, email, meeting, note"}},
        {R"({"kind":"call","duration_minutes":-1})",
         {"/duration_minutes", "type", "must be an integer from 0 to 4294967295"}},
        {R"({"kind":"call","duration_minutes":1.5})",
         {"/duration_minutes", "type", "must be an integer from 0 to 4294967295"}},
        {R"({"kind":"call","duration_minutes":10081})",
         {"/duration_minutes", "range", "must be from 0 to 10080"}},
        {R"({"kind":"call","subject":""})",
         {"/subject", "length", "must have at least 1 characters"}},
        {R"({"kind":"call","subject":7})", {"/subject", "type", "must be a string"}},
        {R"({"kind":"call","subject":null})", {"/subject", "type", "must be a string"}},
        {R"({"kind":"call","subject":"a\u0000b"})",
         {"/subject", "format", "must not contain U+0000"}},
        {R"({"kind":"call","occurred_at":"yesterday"})",
         {"/occurred_at", "type", "must be a date and time as 2026-01-31T08:15:00Z (RFC 3339)"}},
    };
    for (const Row& row : rows) {
        INFO(row.json);
        leads::LogActivity command;
        std::vector<FieldError> errors;
        read_json(boost::json::parse(row.json), command, errors, {"lead"});
        if (errors.empty()) validate(command, "", errors);
        REQUIRE(errors.size() == 1);
        CHECK(errors[0].pointer == row.error.pointer);
        CHECK(errors[0].code == row.error.code);
        CHECK(errors[0].detail == row.error.detail);
    }
}

TEST_CASE("all errors of a body are told at once, inside lists and contained tables too") {
    leads::DefinePipeline command;
    const auto errors = errors_of(
        R"({"pipeline":"01890000-0000-7000-8000-000000000001","name":"","stages":[
            {"key":"ok","name":"Ok","category":"open"},
            {"key":"Not A Slug","name":"x","category":"lost","exit":{"min_score":5000,"outbound_activity":false}}]})",
        command);
    REQUIRE(errors.size() == 3);
    CHECK(errors[0].pointer == "/name");
    CHECK(errors[1].pointer == "/stages/1/key");
    CHECK(errors[2].pointer == "/stages/1/exit/min_score");
}

TEST_CASE("the fields of a flat table stand among those of its owner") {
    leads::ChangeLead command;
    std::vector<FieldError> errors;
    read_json(boost::json::parse(R"({"company_name":null,"rating":"hot"})"), command, errors,
              {"lead"});
    CHECK(errors.empty());
    CHECK(command.changes.company_name.cleared());
    CHECK(command.changes.given_name.unchanged());
    REQUIRE(command.changes.rating.value() != nullptr);
    CHECK(*command.changes.rating.value() == leads::Rating::hot);
}

TEST_CASE("an id from outside is not the nil UUID, except in a target, which is then not found") {
    leads::AssignLead command{.lead = leads::LeadId(), .owner = UserId()};
    std::vector<FieldError> errors;
    validate(command, "", errors);
    REQUIRE(errors.size() == 1);
    CHECK(errors[0] == FieldError{"/owner", "format", "must not be the nil UUID"});
}

TEST_CASE("money is read as minor units and an ISO 4217 code, nothing else") {
    struct Row {
        std::string json;
        std::vector<std::string> at;
    };
    const Row rows[] = {{R"({"minor":1999,"currency":"EUR"})", {}},
                        {R"({"minor":-1,"currency":"JPY"})", {}},
                        {R"({"minor":19.99,"currency":"EUR"})", {"/expected_value/minor"}},
                        {R"({"minor":"1999","currency":"EUR"})", {"/expected_value/minor"}},
                        {R"({"minor":1999,"currency":"eur"})", {"/expected_value/currency"}},
                        {R"({"minor":1999,"currency":"EURO"})", {"/expected_value/currency"}},
                        {R"({"minor":1999})", {"/expected_value/currency"}},
                        {R"({"currency":"EUR"})", {"/expected_value/minor"}},
                        {R"({"minor":1,"currency":"EUR","rate":2})", {"/expected_value/rate"}},
                        {R"("19.99 EUR")", {"/expected_value"}}};
    for (const Row& row : rows) {
        INFO(row.json);
        leads::LeadProfile profile;
        std::vector<std::string> at;
        for (const FieldError& error : errors_of(R"({"expected_value":)" + row.json + "}", profile))
            at.push_back(error.pointer);
        CHECK(at == row.at);
    }
}

}  // namespace bos::test
