#include "schemas/generator/model.h"
#include "tests/schemas/files.h"
#include "tests/schemas/flatc.h"

#include <doctest/doctest.h>

namespace bos::test {

namespace {

std::filesystem::path golden_folder() { return source_folder() / "tests/schemas/golden_generator"; }

void must_be_golden(const std::string& name, const std::string& text) {
    const auto path = golden_folder() / name;
    if (updates_golden()) write_file(path, text);
    const std::string expected = read_file(path);
    INFO("BOS_UPDATE_GOLDEN=1 writes ", path.string(), " anew; git diff shows what changed");
    std::size_t same = 0;
    while (same < text.size() && same < expected.size() && text[same] == expected[same]) ++same;
    const std::size_t from = same < 60 ? 0 : same - 60;
    INFO("differs from byte ", same, ":\nexpected … ", expected.substr(from, 160), "\nactual … ",
         text.substr(from, 160));
    CHECK((text == expected));
}

std::string module_with(const std::string& text) {
    return "include \"base.fbs\";\nnamespace bos.tiny;\n" + text;
}

/// The message with which a schema is refused; empty when it is not.
std::string refusal(const std::string& text) {
    const auto module = generator::read_module(binary_schema_of(text));
    return module ? "" : module.error().detail;
}

}  // namespace

TEST_CASE("the generator writes what it wrote") {
    const auto module = generator::read_module(binary_schema(golden_folder() / "tiny.fbs"));
    REQUIRE(module.has_value());
    must_be_golden("tiny.gen.h", generator::emit_header(*module));
    must_be_golden("tiny.openapi.json", generator::emit_openapi(*module) + "\n");
    must_be_golden("tiny.asyncapi.json", generator::emit_asyncapi(*module) + "\n");
}

TEST_CASE("a schema that breaks a rule is refused, with the table and the rule") {
    const std::string kinds = "enum Aggregate:ushort (aggregates) { none, box }\n";
    struct Row {
        std::string schema;
        std::string message;
    };
    const Row rows[] = {
        {kinds +
             "table Happened (event: \"tiny.happened.v1\", number: \"1\", on: \"box\") { a:int; }",
         ""},
        {"table Happened (event: \"tiny.happened.v1\", on: \"box\") { a:int; }",
         "Happened: an event has a number"},
        {"table Happened (event: \"tiny.happened.v1\", number: \"1\") { a:int; }",
         "Happened: an event names its aggregate (on)"},
        {kinds + "table Happened (event: \"tiny.happened\", number: \"1\", on: \"box\") { a:int; }",
         "Happened: an event's name ends in its version"},
        {kinds + "table Happened (event: \"tiny.happened.v1\", number: \"1\", on: \"crate\") { "
                 "a:int; }",
         "Happened: on names a value of the enum that lists the aggregates"},
        {kinds + "table A (event: \"tiny.a.v1\", number: \"1\", on: \"box\") { a:int; }\n"
                 "table B (event: \"tiny.a.v1\", number: \"2\", on: \"box\") { a:int; }",
         "B: event names and numbers are used once"},
        {kinds + "table A (event: \"tiny.a.v1\", number: \"1\", on: \"box\") { a:int; }\n"
                 "table B (event: \"tiny.b.v1\", number: \"1\", on: \"box\") { a:int; }",
         "B: event names and numbers are used once"},
        {"table Do (command: \"POST /v1/do\", on: \"box\") { a:int; }",
         "Do: a command or query has a permission"},
        {"table Do (command: \"POST /v1/do\", permission: \"p:q:r\") { a:int; }",
         "Do: a command names its aggregate (on)"},
        {kinds + "table Do (command: \"POST /v1/do\", permission: \"p:q:r\", on: \"box\", creates) "
                 "{ a:int; }",
         "Do: what creates names its target"},
        {kinds + "table Do (command: \"POST /v1/do/{box}\", permission: \"p:q:r\", on: \"box\") { "
                 "a:int; }",
         "Do: the route names a field that is not there"},
        {kinds +
             "table Do (command: \"POST /v1/do\", permission: \"p:q:r\", on: \"box\") { a:int; }\n"
             "table Redo (command: \"POST /v1/do\", permission: \"p:q:r\", on: \"box\") { a:int; }",
         "Redo: a route is used once"},
        {"table Get (query: \"GET /v1/do\", permission: \"p:q:r\") { a:int; }",
         "Get: a query names its answer"},
        {"table Get (query: \"GET /v1/do\", permission: \"p:q:r\", answer: \"Box\") { a:int; }",
         "Get: the answer is not a table"},
        {"table BoxState { a:int; }", "BoxState: a state is documented"},
        {"table A { a:float; }",
         "A.a: only integers, bool, text, ids, money, enums and tables are allowed"},
        {"table A { a:int = 7; }", "A.a: defaults other than 0 are not kept"},
        {"table A { a:int (timestamp); }", "A.a: a timestamp is a long"},
        {"table A { a:string (pii: \"text\"); }",
         "A.a: personal data is declared [ubyte], since sealed bytes are not text"},
        {"table A { a:[ubyte] (pii: \"number\"); }", "A.a: pii is \"text\" or \"texts\""},
        {"struct S { a:int; }\ntable A { a:int; }",
         "S: modules declare tables; structs are in base.fbs"},
        {"enum E:ubyte { one = 1, two }\ntable A { a:int; }",
         "enum E: values count from 0 without gaps"},
        {"table A { a:int; }\nnamespace bos.other;\ntable B { a:int; }",
         "a schema declares the tables of exactly one module (namespace bos.<module>)"},
        {"table C (patch_of: \"A\") { a:string (patch); cleared:[ushort]; }",
         "C: patch_of names no table"},
        {"table A { a:string; }\ntable C (patch_of: \"A\") { a:string (patch); }",
         "C: a change has a field cleared:[ushort]"},
        {"table A { a:string; b:string; }\ntable C (patch_of: \"A\") { a:string (patch); "
         "cleared:[ushort]; }",
         "C and A have different fields"},
        {"table A { a:string; }\ntable C (patch_of: \"A\") { b:string (patch); cleared:[ushort]; }",
         "C.b differs from A.a"},
        {"table A { a:string; }\ntable C (patch_of: \"A\") { a:string; cleared:[ushort]; }",
         "C.a differs from A.a"},
    };
    for (const Row& row : rows) {
        INFO(row.schema);
        CHECK(refusal(module_with(row.schema)) == row.message);
    }
}

TEST_CASE("bytes that are no binary schema are refused") {
    CHECK(generator::read_module("").error().code == Code::corrupt);
    CHECK(generator::read_module(std::string(100, 'x')).error().code == Code::corrupt);
}

TEST_CASE("names of commands and parameters of routes") {
    CHECK(generator::kebab("QualifyLead") == "qualify-lead");
    CHECK(generator::kebab("Do") == "do");
    CHECK(generator::path_parameters("POST /v1/a/{b}/c/{d}") == std::vector<std::string>{"b", "d"});
    CHECK(generator::path_parameters("POST /v1/a").empty());
}

}  // namespace bos::test
