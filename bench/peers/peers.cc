#include "bench/figure.h"
#include "bench/lead_requests.h"
#include "bench/peers/emmett.h"
#include "bench/peers/lead_traffic.h"
#include "bench/servers.h"
#include "bench/temp_folder.h"
#include "bench/workloads.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace bos::bench {

namespace {

constexpr std::array<std::size_t, 3> client_counts{1, 8, 32};
// Emmett's rebuild passes over events whose transactions overlapped (0.42.0): one after the other,
// so that it has the same work to do and the boards can be compared.
constexpr std::size_t filling_clients = 1;

/// Without exit criteria, so that a lead can be qualified as soon as it is there.
constexpr std::string_view pipeline_body =
    R"({"name":"Sales","stages":[{"key":"new","name":"New","category":"open"},)"
    R"({"key":"qualified","name":"Qualified","category":"ongoing","milestone":"qualified"},)"
    R"({"key":"won","name":"Won","category":"won"},{"key":"lost","name":"Lost","category":"lost"}]})";

/// The servers, and what each was told.
class Contest {
  public:
    explicit Contest(const Options& options)
        : options_(options),
          folder_(options.folder),
          key_(create_key(options, data())),
          bos_server_(std::in_place, options, data()),
          pipeline_(define_pipeline()),
          rows_server_(options, rows_, errors()),
          counters_server_(options, counters_, errors()),
          to_bos_(bos_server_->port(), key_, pipeline_),
          to_rows_(rows_server_.port(), key_, pipeline_),
          to_counters_(counters_server_.port(), key_, pipeline_) {}

    /// Leads for the rebuild. Warms everything up, too.
    void fill(std::size_t leads);
    [[nodiscard]] boost::json::object rebuilds();
    [[nodiscard]] boost::json::object commands(std::size_t clients);
    /// Throws if a server lost or repeated a lead.
    void check() const;

  private:
    [[nodiscard]] std::filesystem::path data() const { return folder_.path() / "data"; }
    [[nodiscard]] std::filesystem::path errors() const { return folder_.path() / "emmett.log"; }
    [[nodiscard]] std::string define_pipeline() const;
    void rebuild_bos() const;

    const Options& options_;
    const EmmettSetup rows_{.database = "leads"};
    const EmmettSetup counters_{.database = "leads_counters", .counters = true};
    const TempFolder folder_;
    const std::string key_;
    std::optional<BosServer> bos_server_;  ///< none while its views are built anew
    const std::string pipeline_;
    const EmmettServer rows_server_;
    const EmmettServer counters_server_;
    LeadTraffic to_bos_;
    LeadTraffic to_rows_;
    LeadTraffic to_counters_;
};

std::string Contest::define_pipeline() const {
    HttpClient client(bos_server_->port());
    return id_in(client.exchange(http_request("POST", "/v1/lead-pipelines", key_, pipeline_body)));
}

void Contest::fill(std::size_t leads) {
    constexpr double a_moment = 0.25;
    for (LeadTraffic* traffic : {&to_bos_, &to_rows_, &to_counters_}) {
        HttpLoad load = traffic->from(filling_clients);
        while (traffic->captured() < leads) static_cast<void>(load.run(a_moment));
    }
}

void Contest::rebuild_bos() const {
    ChildProcess({options_.binary.string(), "views", "rebuild", "--data", data().string(),
                  "--tenant", bench_tenant().value()},
                 folder_.path() / "rebuild.log")
        .finish();
}

boost::json::object Contest::rebuilds() {
    const auto timed = [](const LeadTraffic& traffic, const std::function<void()>& rebuild) {
        const auto start = SteadyClock::now();
        rebuild();
        const auto end = SteadyClock::now();
        // A lead is captured and qualified; few were not qualified yet.
        return Measured{.count = 2 * traffic.captured(),
                        .seconds = std::chrono::duration<double>(end - start).count(),
                        .latencies_ns = {nanoseconds_since(start, end)}};
    };
    const std::vector<Side> sides{
        {"bos", [&](double) { return timed(to_bos_, [&] { rebuild_bos(); }); }},
        {"emmett",
         [&](double) {
             return timed(to_rows_, [&] { rebuild_emmett(options_, rows_, errors()); });
         }},
        {"emmett_counters", [&](double) {
             return timed(to_counters_, [&] { rebuild_emmett(options_, counters_, errors()); });
         }}};
    const Work work{.name = "peers.rebuild",
                    .unit = "events",
                    .what =
                        "read models built anew by one command, from its start to its end "
                        "(percentiles: of whole runs): all views of BOS, the one projection "
                        "of Emmett",
                    .sync = "BOS: unsynced batches; Emmett: a commit for each 1000 events",
                    .warm_up = false};
    bos_server_.reset();
    boost::json::object figure = compare(options_, work, sides);
    bos_server_.emplace(options_, data());
    to_bos_.turn_to(bos_server_->port());
    return figure;
}

boost::json::object Contest::commands(std::size_t clients) {
    constexpr std::size_t answer_bytes = 96;  // of a command, about
    const ConstantServer constant(answer_bytes, folder_.path());
    LeadTraffic to_constant(constant.port(), key_, pipeline_);
    HttpLoad bos = to_bos_.from(clients);
    HttpLoad rows = to_rows_.from(clients);
    HttpLoad counters = to_counters_.from(clients);
    HttpLoad limit = to_constant.from(clients);
    const std::vector<Side> sides{
        {"bos", [&](double seconds) { return bos.run(seconds); }},
        {"emmett", [&](double seconds) { return rows.run(seconds); }},
        {"emmett_counters", [&](double seconds) { return counters.run(seconds); }},
        {"constant_server", [&](double seconds) { return limit.run(seconds); }}};
    const Work work{.name = fmt::format("peers.commands.{}", clients),
                    .unit = "commands",
                    .what =
                        "leads captured and qualified over HTTP, keep-alive, one request under "
                        "way for each client; the constant server is what the client itself "
                        "could do",
                    .sync =
                        "every command durable (fdatasync) and in the read model before its "
                        "answer; the constant server writes nothing"};
    return compare(options_, work, sides);
}

void Contest::check() const {
    for (const LeadTraffic* traffic : {&to_bos_, &to_rows_, &to_counters_}) traffic->check_board();
}

}  // namespace

void peers(const Options& options, boost::json::array& figures) {
    if (options.emmett.empty()) {
        if (options.only.empty()) return;  // needs more than this machine's packages
        throw std::runtime_error("the peers are started by bench/peers/run");
    }
    Contest contest(options);
    contest.fill(options.quick ? options.leads / 10 : options.leads);
    contest.check();
    figures.push_back(contest.rebuilds());
    contest.check();
    for (const std::size_t clients : client_counts) figures.push_back(contest.commands(clients));
    contest.check();
}

}  // namespace bos::bench
