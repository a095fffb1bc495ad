#include "tests/schemas/flatc.h"

#include "tests/schemas/files.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <sys/wait.h>

namespace bos::test {

Ran run_flatc(const std::string& arguments) {
    const std::string command = std::string(BOS_FLATC) + " " + arguments + " 2>&1";
    std::FILE* pipe = popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    Ran ran;
    std::array<char, 4096> buffer{};
    while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
        ran.output.append(buffer.data(), size);
    }
    const int ended = pclose(pipe);
    ran.status = WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
    return ran;
}

std::string binary_schema(const std::filesystem::path& schema) {
    const TemporaryFolder folder;
    const Ran ran = run_flatc("-b --schema --bfbs-comments --bfbs-builtins -I " +
                              (source_folder() / "schemas").string() + " -o " +
                              folder.path().string() + " " + schema.string());
    REQUIRE_MESSAGE(ran.status == 0, ran.output);
    return read_file(folder.path() / schema.filename().replace_extension(".bfbs"));
}

std::string binary_schema_of(const std::string& text) {
    const TemporaryFolder folder;
    write_file(folder.path() / "tiny.fbs", text);
    return binary_schema(folder.path() / "tiny.fbs");
}

}  // namespace bos::test
