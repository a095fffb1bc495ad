#include "tests/schemas/files.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdlib.h>

namespace bos::test {

std::filesystem::path source_folder() {
    const char* folder = std::getenv("BOS_SOURCE_DIR");
    REQUIRE_MESSAGE(folder != nullptr, "BOS_SOURCE_DIR is not set: run by ctest");
    return folder;
}

std::string read_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    REQUIRE_MESSAGE(in.good(), "cannot read ", path.string());
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_file(const std::filesystem::path& path, std::string_view text) {
    std::ofstream out(path, std::ios::binary);
    out << text;
    out.close();
    REQUIRE_MESSAGE(out.good(), "cannot write ", path.string());
}

bool updates_golden() {
    const char* wanted = std::getenv("BOS_UPDATE_GOLDEN");
    return wanted != nullptr && std::string_view(wanted) == "1";
}

TemporaryFolder::TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "bos-schemas-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace bos::test
