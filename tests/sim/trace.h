#pragma once

#include "schemas/base/digest.h"

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace bos::sim {

/// What happened, line by line: two runs of a seed have the same lines. Faults are counted.
class Trace {
  public:
    explicit Trace(bool print) : print_(print) {}

    template <class... Args>
    void note(fmt::format_string<Args...> format, Args&&... args) {
        line_.clear();
        fmt::format_to(std::back_inserter(line_), format, std::forward<Args>(args)...);
        line_ += '\n';
        digest_.update(line_);
        if (print_) std::fwrite(line_.data(), 1, line_.size(), stdout);
    }
    template <class... Args>
    void fault(const std::string& kind, fmt::format_string<Args...> format, Args&&... args) {
        ++faults_[kind];
        note("fault {}: {}", kind, fmt::format(format, std::forward<Args>(args)...));
    }

    [[nodiscard]] const std::map<std::string, std::uint64_t>& faults() const { return faults_; }
    /// Of all lines. Ends the trace.
    [[nodiscard]] std::string finish() { return to_hex(digest_.finish()); }

  private:
    const bool print_;
    Sha256 digest_;
    std::string line_;
    std::map<std::string, std::uint64_t> faults_;
};

}  // namespace bos::sim
