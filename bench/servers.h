#pragma once

#include "bench/child_process.h"
#include "bench/options.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace bos::bench {

/// The real binary on a data folder, at a free port, with an administrator's key.
class BosServer {
  public:
    BosServer(const Options& options, const std::filesystem::path& data);

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] const std::string& key() const { return key_; }

  private:
    std::string key_;
    std::unique_ptr<ChildProcess> process_;
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
