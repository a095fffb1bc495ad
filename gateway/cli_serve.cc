// bos serve: opens a data folder and serves it over HTTP until it is told to stop.
#include "gateway/api.h"
#include "gateway/authenticator.h"
#include "gateway/cli.h"
#include "gateway/command_routes.h"
#include "gateway/demo.h"
#include "gateway/health_routes.h"
#include "gateway/hold_timers.h"
#include "gateway/http_server.h"
#include "gateway/metrics.h"
#include "gateway/node.h"
#include "gateway/page.h"
#include "gateway/query_routes.h"
#include "gateway/rebuilds.h"
#include "gateway/view_routes.h"

#include <CLI/CLI.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <functional>
#include <memory>
#include <signal.h>
#include <thread>

namespace bos::gateway {

namespace {

/// Every setting; the table with units, defaults and reasons is in docs/configuration.md.
struct ServeOptions {
    NodeOptions node;
    ServerOptions server;
    std::string data = "data";
    std::size_t threads = 2;
    std::string tls_certificate;
    std::string tls_key;
    std::vector<std::string> hosts;
    unsigned drain_seconds = 10;
    bool demo = false;
};

/// One thread for each io_context, so that a connection's work never needs a lock.
class GatewayThreads {
  public:
    explicit GatewayThreads(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            auto& context = contexts_.emplace_back(std::make_unique<boost::asio::io_context>(1));
            guards_.emplace_back(context->get_executor());
        }
    }
    ~GatewayThreads() { stop(); }

    void start() {
        for (auto& context : contexts_) {
            threads_.emplace_back([&io = *context] { io.run(); });
        }
    }
    void stop() {
        for (auto& context : contexts_) context->stop();
        for (auto& thread : threads_) {
            if (thread.joinable()) thread.join();
        }
        threads_.clear();
    }
    [[nodiscard]] std::vector<boost::asio::any_io_executor> executors() {
        std::vector<boost::asio::any_io_executor> executors;
        for (auto& context : contexts_) executors.emplace_back(context->get_executor());
        return executors;
    }

  private:
    std::vector<std::unique_ptr<boost::asio::io_context>> contexts_;
    std::vector<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> guards_;
    std::vector<std::thread> threads_;
};

/// A tenant comes to be with its first key: its first request opens its views.
std::expected<Caller, Problem> authenticate(Authenticator& authenticator, Node& node,
                                            const Request& request) {
    auto principal = authenticator.authenticate(request.headers.get("Authorization"), request.peer);
    if (!principal) return std::unexpected(std::move(principal).error());
    if (const auto opened = node.open_tenant(principal->tenant); !opened) {
        spdlog::error("views of {}: {}", principal->tenant.value(), opened.error().detail);
        return std::unexpected(Problem::of(problems::unavailable, "The tenant cannot be opened."));
    }
    return Caller{.tenant = principal->tenant,
                  .user = principal->user,
                  .grants = std::move(principal->grants)};
}

void greet(const ServeOptions& options, std::uint16_t port, const std::optional<Demo>& demo) {
    const std::string address = fmt::format("{}://{}:{}", options.server.tls ? "https" : "http",
                                            options.server.address, port);
    fmt::print("BOS serves {} on {}\n", options.data, address);
    if (demo) {
        fmt::print(
            "\n  Open     {0}/#key={1}\n"
            "  Ask      curl -s -H 'Authorization: Bearer {1}' '{0}/v1/leads?limit=3'\n"
            "  Admin    {1}\n"
            "  Agent    {2}   (sees what is assigned to it)\n"
            "\nStop with Ctrl-C.\n",
            address, demo->admin_key, demo->agent_key);
    }
    std::fflush(stdout);
}

/// SIGTERM and SIGINT are taken by this wait alone: they were blocked before any thread was
/// started.
int wait_for_signal() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    int signal = 0;
    sigwait(&signals, &signal);
    return signal;
}

void block_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    // A client that went away is an error of its socket.
    ::signal(SIGPIPE, SIG_IGN);
}

Result<int> serve(ServeOptions options) {
    block_signals();
    options.node.data = options.data;
    options.server.guard.hosts = options.hosts;
    if (options.tls_certificate.empty() != options.tls_key.empty()) {
        return fail(Code::invalid,
                    "--tls-certificate and --tls-key are given together or not at all");
    }
    if (!options.tls_certificate.empty())
        options.server.tls = TlsFiles{options.tls_certificate, options.tls_key};
    const auto drain = std::chrono::seconds(options.drain_seconds);

    std::optional<Demo> demo;
    if (options.demo) {
        BOS_TRY(demo, open_demo(options.node));
    }
    SystemClock clock;
    SystemRandom random;
    BOS_TRY(const std::unique_ptr<Node> node, Node::open(options.node, clock, random));
    Credentials credentials(std::filesystem::path(options.data) / "credentials.jsonl");
    BOS_CHECK(credentials.load());
    Authenticator authenticator(credentials, clock);
    BOS_CHECK(node->catch_up([](const TenantId& tenant, Position done, Position all) {
        if (done == all && all.value > 0)
            spdlog::debug("views of {} are at {}", tenant.value(), all.value);
    }));

    Metrics metrics;
    const Api api{
        .authenticate = std::bind_front(&authenticate, std::ref(authenticator), std::ref(*node)),
        .shard_of = [&node](const TenantId& tenant) -> commands::Shard& {
            return node->shard_of(tenant);
        },
        .log = node->log(),
        .keys = node->keys(),
        .sealer = node->sealer(),
        .views = node->views(),
        .clock = clock,
        .random = random};
    Router router;
    add_command_routes(router, api);
    add_query_routes(router, api);
    add_health_routes(router, *node, metrics);
    Rebuilds rebuilds(*node);
    add_view_routes(router, api, *node, rebuilds);
    add_page(router);

    GatewayThreads threads(options.threads);
    Server server(threads.executors(), options.server, std::bind_front(&Router::handle, &router),
                  &metrics);
    HoldTimers timers(threads.executors().front(), *node);
    BOS_CHECK(server.start());
    node->start();
    timers.start();
    threads.start();
    greet(options, server.port(), demo);
    spdlog::info("serving on {}:{}", options.server.address, server.port());

    const int signal = wait_for_signal();
    spdlog::info("signal {}: no new requests; finishing those in flight", signal);
    const bool answered = server.stop(drain);
    threads.stop();
    timers.stop();
    const bool drained = node->stop(drain);
    spdlog::info("stopped{}",
                 answered && drained ? "" : "; some requests were cut at the deadline");
    return 0;
}

}  // namespace

void add_serve(CLI::App& app, int& status) {
    CLI::App* word = app.add_subcommand("serve", "Serve a data folder over HTTP");
    const auto options = std::make_shared<ServeOptions>();
    word->add_option("--data", options->data, "Folder of log, keys and views")
        ->envname("BOS_DATA")
        ->capture_default_str();
    word->add_option("--address", options->server.address, "Numeric address to listen on")
        ->envname("BOS_ADDRESS")
        ->capture_default_str();
    word->add_option("--port", options->server.port, "Port; 0 = any free one")
        ->envname("BOS_PORT")
        ->capture_default_str();
    word->add_option("--host", options->hosts,
                     "Host names that requests may name, with commas between; none = any")
        ->delimiter(',')
        ->envname("BOS_HOST");
    word->add_option("--tls-certificate", options->tls_certificate,
                     "PEM file with the certificate chain")
        ->envname("BOS_TLS_CERTIFICATE");
    word->add_option("--tls-key", options->tls_key, "PEM file with the private key")
        ->envname("BOS_TLS_KEY");
    add_kafka_options(*word, options->node.kafka);
    word->add_option("--threads", options->threads, "Threads for connections")
        ->envname("BOS_THREADS")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    word->add_option("--shards", options->node.shards, "Threads that own tenants")
        ->envname("BOS_SHARDS")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    word->add_option("--commands-max", options->node.limits.commands_in_flight_max,
                     "Commands of a shard without answer; more get 503")
        ->envname("BOS_COMMANDS_MAX")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    word->add_option("--connections-max", options->server.connections_max, "Open connections")
        ->envname("BOS_CONNECTIONS_MAX")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    word->add_option("--connections-per-peer-max", options->server.connections_per_peer_max,
                     "Open connections of one address")
        ->envname("BOS_CONNECTIONS_PER_PEER_MAX")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    word->add_option("--drain-seconds", options->drain_seconds,
                     "Time for requests in flight when stopping")
        ->envname("BOS_DRAIN_SECONDS")
        ->check(CLI::Range(1, 600))
        ->capture_default_str();
    word->add_flag("--demo", options->demo, "Fill a demo tenant on first start and print its keys");
    word->callback([options, &status] {
        const auto served = serve(*options);
        if (!served) fmt::print(stderr, "bos: {}\n", served.error().detail);
        status = served ? *served : 1;
    });
}

}  // namespace bos::gateway
