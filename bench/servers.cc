#include "bench/servers.h"

#include "bench/lead_requests.h"

#include <stdexcept>

namespace bos::bench {

namespace {

std::uint16_t port_at_end_of(const std::string& line) {
    const std::size_t digits = line.find_last_not_of("0123456789") + 1;
    if (digits == line.size()) throw std::runtime_error("a server said: " + line);
    return static_cast<std::uint16_t>(std::stoul(line.substr(digits)));
}

}  // namespace

BosServer::BosServer(const Options& options, const std::filesystem::path& data) {
    const std::string binary = options.binary.string();
    const std::filesystem::path errors = data.parent_path() / "bos.log";
    ChildProcess create({binary, "key", "create", "--data", data.string(), "--tenant",
                         bench_tenant().value(), "--user", "Bench", "--role", "admin"},
                        errors);
    key_ = create.read_line();
    process_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{binary, "serve", "--data", data.string(), "--port", "0"}, errors);
    port_ = port_at_end_of(process_->read_line());
}

ConstantServer::ConstantServer(std::size_t body_bytes, const std::filesystem::path& folder)
    : process_({std::filesystem::read_symlink("/proc/self/exe").string(), "--constant-server",
                std::to_string(body_bytes)},
               folder / "constant.log"),
      port_(port_at_end_of(process_.read_line())) {}

}  // namespace bos::bench
