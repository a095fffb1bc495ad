#include "tests/schemas/files.h"
#include "tests/schemas/flatc.h"
#include "tests/schemas/released_schema.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

// tests/golden/released/ is the schema of the last release without rows and queries, which may
// change at will: views are rebuilt. When releasing, delete it and run this test with
// BOS_UPDATE_GOLDEN=1.

namespace bos::test {

namespace {

std::string without_views(const std::string& schema) {
    const std::size_t views = schema.find("\n// Rows of views");
    REQUIRE(views != std::string::npos);
    return schema.substr(0, views);
}

std::string tiny(const std::string& inside, const std::string& before = "") {
    return "include \"base.fbs\";\nnamespace bos.tiny;\n" + before +
           "table Happened (event: \"tiny.happened.v1\", number: \"1\", on: \"thing\") {" + inside +
           "}\n";
}

std::vector<std::string> breaks_from(const std::string& before, const std::string& after) {
    return breaks(binary_schema_of(before), binary_schema_of(after));
}

Ran conform(const std::filesystem::path& schema, const std::filesystem::path& released) {
    const std::string schemas = (source_folder() / "schemas").string();
    return run_flatc(fmt::format(
        "--conform {} --conform-includes {} --conform-includes {} -I {} {}", released.string(),
        released.parent_path().string(), schemas, schemas, schema.string()));
}

}  // namespace

TEST_CASE("logs of the released schema can be read under the current one") {
    const auto released = source_folder() / "tests/golden/released/leads.fbs";
    const auto current = source_folder() / "schemas/leads.fbs";
    if (updates_golden() && !std::filesystem::exists(released)) {
        write_file(released, without_views(read_file(current)));
        write_file(released.parent_path() / "base.fbs",
                   read_file(current.parent_path() / "base.fbs"));
    }
    const Ran ran = conform(current, released);
    CHECK_MESSAGE(ran.status == 0, ran.output);
    std::string told;
    for (const std::string& broken : breaks(binary_schema(released), binary_schema(current)))
        told += broken + "\n";
    CHECK_MESSAGE(told.empty(), told);
}

TEST_CASE("flatc tells of a changed type, so the line that runs it works") {
    const TemporaryFolder folder;
    write_file(folder.path() / "released.fbs", tiny("a:int; b:string;"));
    write_file(folder.path() / "current.fbs", tiny("a:string; b:string;"));
    const Ran same = conform(folder.path() / "released.fbs", folder.path() / "released.fbs");
    CHECK_MESSAGE(same.status == 0, same.output);
    CHECK(conform(folder.path() / "current.fbs", folder.path() / "released.fbs").status != 0);
}

TEST_CASE("what breaks logs") {
    struct Row {
        std::string before;
        std::string after;
        std::vector<std::string> told;
    };
    const std::string colours = "enum Colour:ubyte { red, green }\n";
    const Row rows[] = {
        {tiny("a:int;"), tiny("a:int;"), {}},
        {tiny("a:int;"), tiny("a:int; b:string;"), {}},
        {tiny("a:int; b:string;"), tiny("a:int;"), {"bos.tiny.Happened.b is gone"}},
        {tiny("a:int; b:string;"),
         tiny("a:int (deprecated); b:string;"),
         {"bos.tiny.Happened.a is gone"}},
        {tiny("a:string;"), tiny("a:string (required);"), {"bos.tiny.Happened.a became required"}},
        {tiny("a:string (required);"), tiny("a:string;"), {}},
        {tiny("a:int;"),
         tiny("a:int; b:string (required);"),
         {"bos.tiny.Happened.b is new and required"}},
        {tiny("a:int;"),
         tiny("a:int = null;"),
         {"bos.tiny.Happened.a changed whether it may be absent"}},
        {tiny("a:int;"), tiny("a:long;"), {"bos.tiny.Happened.a has another type"}},
        {tiny("a:int;"), tiny("c:int;"), {"bos.tiny.Happened.a has another name"}},
        {tiny("a:Colour;", colours),
         tiny("a:Colour;", "enum Colour:ubyte { red, green, blue }\n"),
         {}},
        {tiny("a:Colour;", colours),
         tiny("a:Colour;", "enum Colour:ubyte { green, red }\n"),
         {"bos.tiny.Colour.red has another number or is gone",
          "bos.tiny.Colour.green has another number or is gone"}},
        {tiny("a:Inner;", "table Inner { x:int; y:int; }\n"),
         tiny("a:Inner;", "table Inner { x:int; }\n"),
         {"bos.tiny.Inner.y is gone"}},
        {tiny("a:[Inner];", "table Inner { x:string; }\n"),
         tiny("a:[Inner];", "table Inner { x:string (required); }\n"),
         {"bos.tiny.Inner.x became required"}},
        {tiny("a:int;", "table Row { x:int; y:int; }\n"),
         tiny("a:int;", "table Row { x:int; }\n"),
         {}},
    };
    for (const Row& row : rows) {
        INFO(row.before, "\nbecame\n", row.after);
        CHECK(breaks_from(row.before, row.after) == row.told);
    }
    std::string renumbered = tiny("a:int;");
    renumbered.replace(renumbered.find("\"1\""), 3, "\"2\"");
    CHECK(breaks_from(tiny("a:int;"), renumbered) ==
          std::vector<std::string>{"bos.tiny.Happened has another number"});
    CHECK(breaks_from(tiny("a:int;"), "namespace bos.tiny;\ntable Other { x:int; }\n") ==
          std::vector<std::string>{"bos.tiny.Happened is gone"});
}

}  // namespace bos::test
