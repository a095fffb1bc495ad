#include "bench/peers/emmett.h"

#include "bench/servers.h"

#include <fmt/format.h>

#include <string_view>

namespace bos::bench {

namespace {

std::vector<std::string> words(const Options& options, const EmmettSetup& setup,
                               std::string_view script) {
    std::vector<std::string> words{"/usr/bin/env", "node", (options.emmett / script).string(),
                                   "--database",
                                   fmt::format("postgresql://{}@localhost/{}?host={}", "postgres",
                                               setup.database, options.postgres.string())};
    if (setup.counters) words.emplace_back("--counters");
    return words;
}

std::vector<std::string> server_words(const Options& options, const EmmettSetup& setup) {
    std::vector<std::string> server = words(options, setup, "server.mjs");
    server.insert(server.end(), {"--processes", std::to_string(options.emmett_processes)});
    return server;
}

}  // namespace

EmmettServer::EmmettServer(const Options& options, const EmmettSetup& setup,
                           const std::filesystem::path& errors)
    : process_(server_words(options, setup), errors), port_(port_at_end_of(process_.read_line())) {}

void rebuild_emmett(const Options& options, const EmmettSetup& setup,
                    const std::filesystem::path& errors) {
    ChildProcess(words(options, setup, "rebuild.mjs"), errors).finish();
}

}  // namespace bos::bench
