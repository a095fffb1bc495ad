#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

namespace bos::bench {

/// A program run beside the benchmark, which ends it by its id. It dies with the benchmark.
class ChildProcess {
  public:
    /// What it says to standard error goes to `errors`.
    ChildProcess(const std::vector<std::string>& words, const std::filesystem::path& errors);
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    /// The next line of its standard output. Throws when there is none.
    [[nodiscard]] std::string read_line();
    void signal(int number);
    /// Of its own memory, without the files that it has mapped.
    [[nodiscard]] std::uint64_t resident_bytes() const;
    /// Waits until it has said all and ended. Throws unless it ended with 0.
    void finish();

  private:
    pid_t pid_;  ///< -1: waited for
    int output_;
};

}  // namespace bos::bench
