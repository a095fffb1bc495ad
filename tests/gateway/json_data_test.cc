#include "gateway/json.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <string>

namespace fs = std::filesystem;

namespace {

std::string content_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// RFC 8259 4 leaves repeated keys to the reader; we refuse them.
const std::set<std::string> accepted_elsewhere{"y_object_duplicated_key.json",
                                               "y_object_duplicated_key_and_value.json"};

}  // namespace

TEST_CASE("JSON texts of other projects are accepted and refused as they say") {
    const char* source = std::getenv("BOS_SOURCE_DIR");
    const fs::path cases = fs::path(source == nullptr ? "." : source) / "../shared/data/json/cases";
    if (!fs::exists(cases)) {
        std::cout << "skipped: no ../shared/data/json/cases\n";
        return;
    }
    std::size_t accepted = 0;
    std::size_t refused = 0;
    std::size_t undefined = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(cases)) {
        const std::string name = entry.path().filename().string();
        INFO(name);
        const bool reads = bos::gateway::parse_json(content_of(entry.path())).has_value();
        if (name.starts_with("y_")) {
            CHECK(reads == !accepted_elsewhere.contains(name));
            ++accepted;
        } else if (name.starts_with("n_")) {
            CHECK_FALSE(reads);
            ++refused;
        } else {
            ++undefined;
        }
    }
    std::cout << "json: " << accepted << " y_, " << refused << " n_, " << undefined << " others\n";
    CHECK(accepted > 0);
}
