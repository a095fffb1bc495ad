#pragma once

#include "bench/child_process.h"
#include "bench/options.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bos::bench {

/// An administrator's key of bench_tenant(), for a data folder that is there or not yet.
[[nodiscard]] std::string create_key(const Options& options, const std::filesystem::path& data);

/// Of what a server says when it serves. Throws when there is none.
[[nodiscard]] std::uint16_t port_at_end_of(const std::string& line);

/// The real binary on a data folder, at a free port.
class BosServer {
  public:
    /// `flags` are further ones of bos serve.
    BosServer(const Options& options, const std::filesystem::path& data,
              std::vector<std::string> flags = {});

    [[nodiscard]] std::uint16_t port() const { return port_; }
    void signal(int number) { process_.signal(number); }
    [[nodiscard]] std::uint64_t resident_bytes() const { return process_.resident_bytes(); }

  private:
    ChildProcess process_;
    std::uint16_t port_;
};

/// See constant_server.h; in a process of its own, as the product is.
class ConstantServer {
  public:
    ConstantServer(std::size_t body_bytes, const std::filesystem::path& folder);

    [[nodiscard]] std::uint16_t port() const { return port_; }

  private:
    ChildProcess process_;
    std::uint16_t port_;
};

}  // namespace bos::bench
