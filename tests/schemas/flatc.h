#pragma once

#include <filesystem>
#include <string>

namespace bos::test {

struct Ran {
    int status = 0;
    std::string output;  ///< of both streams
};

/// Runs FlatBuffers' own compiler with the arguments as a shell reads them.
[[nodiscard]] Ran run_flatc(const std::string& arguments);

/// The binary schema of a .fbs file, which may include base.fbs.
[[nodiscard]] std::string binary_schema(const std::filesystem::path& schema);
/// The same for the text of a module `bos.tiny`.
[[nodiscard]] std::string binary_schema_of(const std::string& text);

}  // namespace bos::test
