#include "bench/servers.h"

#include "bench/lead_requests.h"

#include <iterator>
#include <stdexcept>
#include <utility>

namespace bos::bench {

namespace {

std::filesystem::path errors_beside(const std::filesystem::path& data) {
    return data.parent_path() / "bos.log";
}

std::vector<std::string> serve_words(const Options& options, const std::filesystem::path& data,
                                     std::vector<std::string> flags) {
    std::vector<std::string> words{options.binary.string(), "serve",  "--data",
                                   data.string(),           "--port", "0"};
    words.insert(words.end(), std::make_move_iterator(flags.begin()),
                 std::make_move_iterator(flags.end()));
    return words;
}

}  // namespace

std::uint16_t port_at_end_of(const std::string& line) {
    const std::size_t digits = line.find_last_not_of("0123456789") + 1;
    if (digits == line.size()) throw std::runtime_error("a server said: " + line);
    return static_cast<std::uint16_t>(std::stoul(line.substr(digits)));
}

std::string create_key(const Options& options, const std::filesystem::path& data) {
    ChildProcess create({options.binary.string(), "key", "create", "--data", data.string(),
                         "--tenant", bench_tenant().value(), "--user", "Bench", "--role", "admin"},
                        errors_beside(data));
    return create.read_line();
}

BosServer::BosServer(const Options& options, const std::filesystem::path& data,
                     std::vector<std::string> flags)
    : process_(serve_words(options, data, std::move(flags)), errors_beside(data)),
      port_(port_at_end_of(process_.read_line())) {}

ConstantServer::ConstantServer(std::size_t body_bytes, const std::filesystem::path& folder)
    : process_({std::filesystem::read_symlink("/proc/self/exe").string(), "--constant-server",
                std::to_string(body_bytes)},
               folder / "constant.log"),
      port_(port_at_end_of(process_.read_line())) {}

}  // namespace bos::bench
