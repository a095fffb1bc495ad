#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace bos::test {

[[nodiscard]] std::filesystem::path source_folder();
[[nodiscard]] std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, std::string_view text);

/// True if golden files are to be written anew (BOS_UPDATE_GOLDEN=1), not compared.
[[nodiscard]] bool updates_golden();

/// An empty folder that goes away with this object.
class TemporaryFolder {
  public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace bos::test
