#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

// Which folder may include which, and what keeps the pure core pure. Layers stay apart because a
// test fails, not because a page asks.

namespace bos::test {

namespace {

namespace fs = std::filesystem;

struct Line {
    std::string path;  ///< from the root of the sources
    std::size_t number = 0;
    std::string text;  ///< without comments and the contents of string literals
};

fs::path source_folder() {
    const char* folder = std::getenv("BOS_SOURCE_DIR");
    REQUIRE_MESSAGE(folder != nullptr, "BOS_SOURCE_DIR is not set: run by ctest");
    return folder;
}

/// A line of code without its comment; what stands in quotes is emptied, unless it is what an
/// #include names.
std::string code_of(const std::string& line) {
    if (line.find("#include") != std::string::npos) return line.substr(0, line.find("//"));
    std::string code;
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (quoted && line[i] == '\\') {
            ++i;
        } else if (line[i] == '"') {
            quoted = !quoted;
            code += '"';
        } else if (!quoted) {
            if (line.compare(i, 2, "//") == 0) break;
            code += line[i];
        }
    }
    return code;
}

std::vector<Line> lines_under(const fs::path& root, const std::string& folder) {
    std::vector<Line> lines;
    if (!fs::exists(root / folder)) return lines;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
        const std::string extension = entry.path().extension().string();
        if (extension != ".h" && extension != ".cc") continue;
        std::ifstream in(entry.path());
        std::size_t number = 0;
        for (std::string text; std::getline(in, text);) {
            lines.push_back({fs::relative(entry.path(), root).string(), ++number, code_of(text)});
        }
    }
    return lines;
}

std::string tell(const Line& line, const std::string& rule) {
    return fmt::format("{}:{}: {}\n    {}", line.path, line.number, rule, line.text);
}

/// What `#include "…"` or `#include <…>` names, else empty.
std::string included_by(const Line& line) {
    static const std::regex pattern(R"rx(^\s*#\s*include\s*["<]([^">]+)[">])rx");
    std::smatch match;
    return std::regex_search(line.text, match, pattern) ? match[1].str() : "";
}

/// Which folders a folder may include from, besides itself. main.cc wires everything.
const std::map<std::string, std::set<std::string>> arrows{
    {"schemas", {}},
    {"domain", {"schemas"}},
    {"eventstore", {"schemas"}},
    {"commands", {"domain", "eventstore", "schemas"}},
    {"projections", {"eventstore", "schemas"}},
    {"gateway", {"commands", "projections", "eventstore", "schemas"}},
};

bool is_ours(const std::string& folder) {
    return arrows.contains(folder) || folder == "tests" || folder == "bench";
}

std::vector<std::string> against_the_arrows(const std::vector<Line>& lines) {
    std::vector<std::string> found;
    for (const Line& line : lines) {
        const std::string from = line.path.substr(0, line.path.find('/'));
        const std::string included = included_by(line);
        const std::string to = included.substr(0, included.find('/'));
        if (!is_ours(to) || included.find('/') == std::string::npos || to == from) continue;
        if (line.path == "gateway/main.cc" && arrows.contains(to)) continue;
        if (!arrows.at(from).contains(to))
            found.push_back(tell(line, fmt::format("{} must not include from {}", from, to)));
        // The log keeps opaque bytes: it knows the words of no module.
        const bool base_only =
            from == "eventstore" && to == "schemas" && !included.starts_with("schemas/base/");
        if (base_only) found.push_back(tell(line, "eventstore includes from schemas/base only"));
    }
    return found;
}

struct Rule {
    std::regex pattern;
    std::string why;
};

std::vector<std::string> breaking(const std::vector<Line>& lines, const std::vector<Rule>& rules) {
    std::vector<std::string> found;
    for (const Line& line : lines) {
        for (const Rule& rule : rules) {
            if (std::regex_search(line.text, rule.pattern)) found.push_back(tell(line, rule.why));
        }
    }
    return found;
}

/// decide and evolve are pure: time, ids and look-ups come in as facts.
const std::vector<Rule>& rules_of_the_core() {
    static const std::vector<Rule> rules{
        {std::regex(
             R"(#\s*include\s*[<"](boost/(asio|beast)|rocksdb|librdkafka|rdkafka|spdlog|prometheus|openssl|sodium))"),
         "the core does no I/O"},
        {std::regex(
             R"(#\s*include\s*<(iostream|fstream|cstdio|stdio\.h|filesystem|print|syncstream)>)"),
         "the core does no I/O"},
        {std::regex(
             R"(#\s*include\s*<(thread|mutex|shared_mutex|atomic|future|condition_variable|semaphore|latch|barrier|stop_token)>)"),
         "the core knows no threads"},
        {std::regex(R"(#\s*include\s*("schemas/base/random\.h"|<random>))"),
         "the core draws nothing at random"},
        {std::regex(
             R"(\b(system_clock|steady_clock|high_resolution_clock|utc_clock|SystemClock|gettimeofday|clock_gettime)\b)"),
         "the core reads no clock: facts.now"},
        {std::regex(R"(\b(std::)?(time|rand|random|getenv)\s*\(\s*(NULL|nullptr|0|"|\)))"),
         "the core asks the machine nothing"},
        {std::regex(R"(\b(new_uuid|random_device|mt19937)\b)"),
         "the core draws nothing at random: facts.new_id"},
        {std::regex(R"(\b(thread_local|std::(jthread|thread|mutex|async))\b)"),
         "the core knows no threads"},
        {std::regex(R"(\b(throw|try|catch)\b)"),
         "the core refuses with a Rejection, not with an exception"},
    };
    return rules;
}

/// LeadCaptured|LeadChanged|…, from the schemas.
std::string names_of_events() {
    static const std::regex pattern(R"(^table (\w+) \(event:)");
    std::string names;
    for (const auto& entry : fs::directory_iterator(source_folder() / "schemas")) {
        if (entry.path().extension() != ".fbs") continue;
        std::ifstream in(entry.path());
        std::smatch match;
        for (std::string text; std::getline(in, text);) {
            if (!std::regex_search(text, match, pattern)) continue;
            names += (names.empty() ? "" : "|") + match[1].str();
        }
    }
    REQUIRE(!names.empty());
    return names;
}

/// Dispatch goes by the lists of the schema, so that an event that nobody handles is a compile
/// error.
const std::vector<Rule>& rules_of_dispatch() {
    static const std::vector<Rule> rules{
        {std::regex(R"(\bswitch\s*\(.*(\bevent|\.number\b|\.index\(\)|event_type|wire_name))"),
         "no switch over events"},
        {std::regex(R"(\bcase\b.*\b()" + names_of_events() + R"()::)"), "no switch over events"},
        {std::regex(R"(std::visit\(\s*\[\]\s*\(\s*(const\s+)?auto\s*&+\s*\w*\s*\)\s*\{\s*\})"),
         "no catch-all that drops events"},
    };
    return rules;
}

/// What a thing is called must tell what it does.
const std::vector<Rule>& rules_of_names() {
    static const std::vector<Rule> rules{
        {std::regex(R"(^\s*(class|struct)\s+\w*(Manager|Helper|Utils?|Service|Processor)\b)"),
         "a name that says nothing"},
        {std::regex(R"(\busing\s+namespace\s+std\s*;)"), "names of std are written out"},
    };
    return rules;
}

std::vector<Line> all_lines() {
    std::vector<Line> lines;
    for (const auto& [folder, allowed] : arrows) {
        const std::vector<Line> more = lines_under(source_folder(), folder);
        lines.insert(lines.end(), more.begin(), more.end());
    }
    return lines;
}

void must_be_empty(const std::vector<std::string>& found) {
    for (const std::string& broken : found) FAIL_CHECK(broken);
}

Line line(std::string path, const std::string& text) { return {std::move(path), 1, code_of(text)}; }

}  // namespace

TEST_CASE("folders include along the arrows") { must_be_empty(against_the_arrows(all_lines())); }

TEST_CASE("the core is pure") {
    must_be_empty(breaking(lines_under(source_folder(), "domain"), rules_of_the_core()));
}

TEST_CASE("nothing switches over events") {
    must_be_empty(breaking(all_lines(), rules_of_dispatch()));
}

TEST_CASE("names say what a thing is") { must_be_empty(breaking(all_lines(), rules_of_names())); }

TEST_CASE("every header is included once: it starts with #pragma once") {
    std::set<std::string> without;
    for (const Line& read : all_lines()) {
        if (!read.path.ends_with(".h")) continue;
        if (read.number == 1) without.insert(read.path);
        if (read.text == "#pragma once") without.erase(read.path);
    }
    for (const std::string& path : without) FAIL_CHECK(path);
}

TEST_CASE("the rules see what breaks them and nothing else") {
    struct Row {
        Line line;
        std::size_t found;
    };
    const Row includes[] = {
        {line("domain/leads/lead.cc", "#include \"schemas/leads.gen.h\""), 0},
        {line("domain/leads/lead.cc", "#include \"eventstore/event_log.h\""), 1},
        {line("domain/leads/lead.cc", "#include <vector>"), 0},
        {line("schemas/base/uuid.h", "#include \"domain/decider.h\""), 1},
        {line("schemas/base/uuid.h", "#include \"tests/main.h\""), 1},
        {line("eventstore/commit.h", "#include \"schemas/base/uuid.h\""), 0},
        {line("eventstore/commit.h", "#include \"schemas/leads.gen.h\""), 1},
        {line("projections/runner.cc", "#include \"domain/leads/leads.h\""), 1},
        {line("commands/shard.cc", "#include \"projections/runner.h\""), 1},
        {line("gateway/http.cc", "#include \"domain/leads/leads.h\""), 1},
        {line("gateway/main.cc", "#include \"domain/leads/leads.h\""), 0},
        {line("gateway/main.cc", "#include \"tests/faulty.h\""), 1},
        {line("gateway/http.cc", "// #include \"domain/leads/leads.h\""), 0},
    };
    for (const Row& row : includes) {
        INFO(row.line.path, ": ", row.line.text);
        CHECK(against_the_arrows({row.line}).size() == row.found);
    }
    const Row core[] = {
        {line("domain/a.cc", "#include <thread>"), 1},
        {line("domain/a.cc", "#include <random>"), 1},
        {line("domain/a.cc", "#include <chrono>"), 0},
        {line("domain/a.cc", "#include <boost/asio.hpp>"), 1},
        {line("domain/a.cc", "#include <rocksdb/db.h>"), 1},
        {line("domain/a.cc", "#include <librdkafka/rdkafka.h>"), 1},
        {line("domain/a.cc", "auto now = std::chrono::system_clock::now();"), 1},
        {line("domain/a.cc", "const Timestamp at = facts.now;"), 0},
        {line("domain/a.cc", "srand(time(nullptr));"), 1},
        {line("domain/a.cc", "throw std::runtime_error(\"no\");"), 1},
        {line("domain/a.cc", "// throw nothing, try nothing"), 0},
        {line("domain/a.cc", "return reject(\"try again\");"), 0},
        {line("domain/a.cc", "BOS_TRY(const Stage* stage, named_stage(pipeline));"), 0},
    };
    for (const Row& row : core) {
        INFO(row.line.text);
        CHECK(breaking({row.line}, rules_of_the_core()).size() == row.found);
    }
    const Row dispatch[] = {
        {line("projections/a.cc", "switch (event.number) {"), 1},
        {line("projections/a.cc", "switch (record.events[i].number) {"), 1},
        {line("projections/a.cc", "switch (format) {"), 0},
        {line("projections/a.cc", "case leads::LeadCaptured::number:"), 1},
        {line("projections/a.cc", "case FieldType::number:"), 0},
        {line("projections/a.cc", "std::visit([](auto&&) {}, event);"), 1},
    };
    for (const Row& row : dispatch) {
        INFO(row.line.text);
        CHECK(breaking({row.line}, rules_of_dispatch()).size() == row.found);
    }
    CHECK(breaking({line("gateway/a.h", "class SessionManager {")}, rules_of_names()).size() == 1);
    CHECK(breaking({line("gateway/a.h", "class Session {")}, rules_of_names()).empty());
}

}  // namespace bos::test
