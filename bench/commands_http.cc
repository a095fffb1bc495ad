#include "bench/figure.h"
#include "bench/http_load.h"
#include "bench/servers.h"
#include "bench/temp_folder.h"
#include "bench/workloads.h"

#include <fmt/format.h>

#include <stdexcept>

namespace bos::bench {

namespace {

constexpr std::size_t connections_max = 64;

std::string capture_body(std::uint64_t number) {
    return fmt::format(
        R"({{"given_name":"Amara","family_name":"Lindgren {0}","company_name":"Meridian Clinics",)"
        R"("job_title":"Head of Operations","emails":["amara.{0}@meridian.example"],"source":"trade fair",)"
        R"("expected_value":{{"minor":125000,"currency":"EUR"}},"tags":["pilot"]}})",
        number);
}

std::string score_body(std::uint64_t number) {
    return fmt::format(R"({{"score":{},"score_reasons":["fits the profile"]}})", number % 1000);
}

std::string id_in(std::string_view answer) {
    constexpr std::string_view name = R"("id":")";
    const std::size_t at = answer.find(name);
    if (at == std::string_view::npos) throw std::runtime_error("an answer without an id");
    return std::string(answer.substr(at + name.size(), 36));
}

/// A command over HTTP, and one answer to it.
struct Command {
    std::string name;
    HttpLoad::NextRequest next;
};

void measure(const Options& options, const Command& command, std::uint16_t port,
             const std::filesystem::path& folder, boost::json::array& figures) {
    // Far from the numbers that the connections count, so that it changes something.
    const std::string request = command.next(0, 999, {});
    const std::size_t answer_bytes = HttpClient(port).exchange(request).size();
    const ConstantServer constant(answer_bytes, folder);
    for (const std::size_t connections : concurrencies) {
        HttpLoad ours(port, connections, command.next);
        HttpLoad limit(constant.port(), connections, command.next);
        const std::vector<Side> sides{
            {"bos", [&](double seconds) { return ours.run(seconds); }},
            {"constant_server", [&](double seconds) { return limit.run(seconds); }}};
        const Work work{
            .name = fmt::format("commands_http.{}.{}", command.name, connections),
            .unit = "requests",
            .what =
                "durable commands to bos serve over keep-alive connections, one tenant; beside "
                "the same requests to a Beast server that answers constant bytes",
            .sync = "every command durable and visible before its answer; the limit writes nothing",
            .bytes = {{"request", request.size()}, {"answer_body", answer_bytes}}};
        figures.push_back(compare(options, work, sides));
    }
}

}  // namespace

void commands_http(const Options& options, boost::json::array& figures) {
    const TempFolder folder(options.folder);
    const std::string key = create_key(options, folder.path() / "data");
    const BosServer server(options, folder.path() / "data");
    HttpClient client(server.port());
    std::vector<std::string> leads;
    for (std::size_t i = 0; i < connections_max; ++i) {
        leads.push_back(
            id_in(client.exchange(http_request("POST", "/v1/leads", key, capture_body(i)))));
    }
    const Command capture{.name = "capture",
                          .next = [&](std::size_t, std::uint64_t number, std::string_view) {
                              return http_request("POST", "/v1/leads", key, capture_body(number));
                          }};
    const Command score{
        .name = "score",
        .next = [&](std::size_t connection, std::uint64_t number, std::string_view) {
            return http_request("POST", fmt::format("/v1/leads/{}/score", leads[connection]), key,
                                score_body(number));
        }};
    measure(options, capture, server.port(), folder.path(), figures);
    measure(options, score, server.port(), folder.path(), figures);
}

}  // namespace bos::bench
