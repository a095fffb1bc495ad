#include "tests/data/source_data.h"

#include "schemas/base/assert.h"

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>

namespace bos::data_test {

namespace fs = std::filesystem;

namespace {

std::string unzipped(const fs::path& file) {
    const std::string command = fmt::format("gzip -dc '{}'", file.string());
    FILE* const pipe = ::popen(command.c_str(), "r");
    BOS_ASSERT(pipe != nullptr);
    std::string text;
    std::array<char, 65536> buffer{};
    while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
        text.append(buffer.data(), size);
    }
    BOS_ASSERT(::pclose(pipe) == 0);
    return text;
}

CsvRow split(const std::string& line) {
    CsvRow row;
    std::size_t begin = 0;
    while (true) {
        const std::size_t comma = line.find(',', begin);
        row.push_back(line.substr(begin, comma - begin));
        if (comma == std::string::npos) return row;
        begin = comma + 1;
    }
}

}  // namespace

std::optional<fs::path> event_logs() {
    const char* source = std::getenv("BOS_SOURCE_DIR");
    const fs::path folder = fs::path(source == nullptr ? "." : source) / "../shared/data/eventlogs";
    if (fs::exists(folder)) return folder;
    std::cout << "skipped: no ../shared/data/eventlogs\n";
    return std::nullopt;
}

std::vector<CsvRow> read_csv(const fs::path& file) {
    std::istringstream text(unzipped(file));
    std::vector<CsvRow> rows;
    std::string line;
    std::getline(text, line);
    while (std::getline(text, line)) rows.push_back(split(line));
    BOS_ASSERT(!rows.empty());
    return rows;
}

boost::json::value read_json(const fs::path& file) {
    std::ifstream in(file);
    return boost::json::parse(
        std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()));
}

}  // namespace bos::data_test
