#include "bench/figure.h"
#include "bench/http_load.h"
#include "bench/lead_node.h"
#include "bench/must.h"
#include "bench/servers.h"
#include "bench/temp_folder.h"
#include "bench/workloads.h"

#include <fmt/format.h>

namespace bos::bench {

namespace {

constexpr std::size_t connections = 8;

/// Leads in five stages, and what they were before each of them got another score.
struct Loaded {
    std::vector<leads::LeadId> leads;
    Position before_scores;
};

Loaded load(const std::filesystem::path& data, std::size_t count) {
    LeadNode node(data);
    Loaded loaded{.leads = node.capture(count), .before_scores = {}};
    std::vector<leads::LeadId> moved;
    for (std::size_t i = 0; i < count; ++i) {
        if (i % 5 != 0) moved.push_back(loaded.leads[i]);
    }
    node.each(moved, &LeadRequests::move);
    loaded.before_scores = must(node.node().log().head(bench_tenant())).position;
    node.each(loaded.leads, &LeadRequests::score);
    return loaded;
}

/// A query, as it is now and as it was.
struct Query {
    std::string name;
    std::string what;
    std::function<std::string(std::uint64_t number)> target;
};

class Reads {
  public:
    Reads(const Options& options, const TempFolder& folder, const BosServer& server,
          std::string key, Position past)
        : options_(options), folder_(folder), server_(server), key_(std::move(key)), past_(past) {}

    [[nodiscard]] boost::json::object measure(const Query& query) const {
        const HttpLoad::NextRequest live = [&](std::size_t connection, std::uint64_t number,
                                               std::string_view) {
            return request(query.target(spread(connection, number)));
        };
        const HttpLoad::NextRequest as_of = [&](std::size_t connection, std::uint64_t number,
                                                std::string_view) {
            return request(with(query.target(spread(connection, number)), "as_of", past_));
        };
        // Who names a position never gets an answer that was kept.
        const HttpLoad::NextRequest made = [&](std::size_t connection, std::uint64_t number,
                                               std::string_view) {
            return request(with(query.target(spread(connection, number)), "min_position", past_));
        };
        HttpClient client(server_.port());
        const std::size_t live_bytes = client.exchange(live(0, 0, {})).size();
        const std::size_t as_of_bytes = client.exchange(as_of(0, 0, {})).size();
        const ConstantServer constant(live_bytes, folder_.path());
        HttpLoad now(server_.port(), connections, live);
        HttpLoad anew(server_.port(), connections, made);
        HttpLoad limit(constant.port(), connections, live);
        HttpLoad then(server_.port(), connections, as_of);
        const Work work{.name = query.name,
                        .unit = "requests",
                        .what = query.what,
                        .sync = "nothing is written",
                        .bytes = {{"request", live(0, 0, {}).size()},
                                  {"answer_body", live_bytes},
                                  {"answer_body_as_of", as_of_bytes}}};
        return compare(options_, work,
                       {{"live", [&](double seconds) { return now.run(seconds); }},
                        {"made_anew", [&](double seconds) { return anew.run(seconds); }},
                        {"constant_server", [&](double seconds) { return limit.run(seconds); }},
                        {"as_of", [&](double seconds) { return then.run(seconds); }}});
    }

  private:
    [[nodiscard]] std::string request(std::string_view target) const {
        return http_request("GET", target, key_);
    }
    static std::string with(std::string target, std::string_view parameter, Position position) {
        const char joint = target.contains('?') ? '&' : '?';
        return fmt::format("{}{}{}={}", target, joint, parameter, position.value);
    }
    /// All over the data: neighbours in time are not neighbours in the store.
    static std::uint64_t spread(std::size_t connection, std::uint64_t number) {
        return (number * connections + connection) * 7919;
    }

    const Options& options_;
    const TempFolder& folder_;
    const BosServer& server_;
    const std::string key_;
    const Position past_;
};

}  // namespace

void reads_http(const Options& options, boost::json::array& figures) {
    const TempFolder folder(options.folder);
    const std::size_t count = options.quick ? options.leads / 5 : options.leads;
    const Loaded loaded = load(folder.path() / "data", count);
    const std::string key = create_key(options, folder.path() / "data");
    const BosServer server(options, folder.path() / "data");
    const Reads reads(options, folder, server, key, loaded.before_scores);
    const std::string of_leads = fmt::format(
        " of {} leads over {} connections; as_of is before the last change of every lead", count,
        connections);
    const std::vector<Query> queries{
        {"point_read", "one lead" + of_leads,
         [&](std::uint64_t number) {
             return "/v1/leads/" + to_string(loaded.leads[number % loaded.leads.size()]);
         }},
        {"board_read", "the board with 20 cards in each of five stages" + of_leads,
         [](std::uint64_t) { return std::string("/v1/leads/board?cards=20"); }},
        {"list_read", "the newest 50" + of_leads,
         [](std::uint64_t) { return std::string("/v1/leads?limit=50"); }}};
    for (const Query& query : queries) figures.push_back(reads.measure(query));
}

}  // namespace bos::bench
