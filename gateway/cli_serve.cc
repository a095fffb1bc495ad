// bos serve: opens a data folder and serves it over HTTP until it is told to stop.
#include "eventstore/this_thread.h"
#include "gateway/cli.h"
#include "gateway/demo.h"
#include "gateway/http_server.h"
#include "gateway/metrics.h"
#include "gateway/request_target.h"
#include "gateway/served_folder.h"

#include <CLI/CLI.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <functional>
#include <malloc.h>
#include <memory>
#include <optional>
#include <signal.h>
#include <thread>

namespace bos::gateway {

namespace {

/// Every setting; the table with units, defaults and reasons is in docs/configuration.md.
struct ServeOptions {
    NodeOptions node{.events = true, .limits = {}};
    ServerOptions server;
    std::string data = "data";
    std::size_t threads = 2;
    std::string tls_certificate;
    std::string tls_key;
    std::vector<std::string> hosts;
    std::string advertise;
    std::vector<std::string> roles{"gateway", "commands", "projections"};
    std::string peer_authorities;
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
            threads_.emplace_back([&io = *context] {
                eventstore::this_thread_is("gateway io");
                io.run();
            });
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

ServingOptions serving_options(const ServeOptions& options) {
    const auto has = [&](std::string_view role) {
        return std::ranges::find(options.roles, role) != options.roles.end();
    };
    ServingOptions serving{.node = options.node,
                           .roles = {.gateway = has("gateway"),
                                     .commands = has("commands"),
                                     .views = has("projections")},
                           .peers = {}};
    serving.peers.tls = options.server.tls.has_value();
    serving.peers.authorities = options.peer_authorities;
    // Together less than what a server takes from one address.
    serving.peers.connections_max = std::max<std::size_t>(1, 64 / options.threads);
    return serving;
}

std::string address_for_others(const ServeOptions& options, std::uint16_t port) {
    if (!options.advertise.empty()) return options.advertise;
    const bool is_ipv6 = options.server.address.contains(':');
    return fmt::format("{}{}{}:{}", is_ipv6 ? "[" : "", options.server.address, is_ipv6 ? "]" : "",
                       port);
}

/// Other nodes cannot connect to "any address".
Result<void> check_advertised(const ServeOptions& options) {
    if (!options.node.kafka.given() || !options.advertise.empty()) return {};
    if (options.server.address != "0.0.0.0" && options.server.address != "::") return {};
    return fail(Code::invalid,
                fmt::format("--address {} names no one address: say with --advertise HOST:PORT "
                            "where other nodes reach this one",
                            options.server.address));
}

Result<int> serve(ServeOptions options) {
    block_signals();
    BOS_CHECK(check_advertised(options));
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
    Metrics metrics;
    ServedFolder folder(serving_options(options), metrics, clock, random);
    BOS_CHECK(folder.open());
    ::malloc_trim(0);  // opening needs much that nobody needs again: logs that are replayed
    GatewayThreads threads(options.threads);
    Server server(
        threads.executors(), options.server,
        [&folder](Request request) { return folder.handle(std::move(request)); }, &metrics);
    BOS_CHECK(server.start());
    BOS_CHECK(folder.start(threads.executors(), address_for_others(options, server.port())));
    threads.start();
    greet(options, server.port(), demo);
    spdlog::info("serving on {}:{}", options.server.address, server.port());

    const int signal = wait_for_signal();
    spdlog::info("signal {}: no new requests; finishing those in flight", signal);
    // While the others take over, requests that still come go to them.
    folder.leave(drain);
    const bool answered = server.stop(drain);
    threads.stop();
    const bool drained = folder.stop(drain);
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
    add_master_key_option(*word, options->node.master_key);
    word->add_option("--advertise", options->advertise,
                     "HOST:PORT where other nodes reach this one; none = --address and the port")
        ->envname("BOS_ADVERTISE")
        ->check([](const std::string& text) {
            return is_authority(text) && text.contains(':') ? std::string() : "must be HOST:PORT";
        });
    word->add_option("--roles", options->roles,
                     "What this node does on Kafka, with commas between: gateway (takes requests "
                     "of clients), commands (decides them), projections (keeps views)")
        ->delimiter(',')
        ->envname("BOS_ROLES")
        ->check(CLI::IsMember({"gateway", "commands", "projections"}));
    word->add_option("--peer-authorities", options->peer_authorities,
                     "PEM file with the authorities of other nodes' certificates; none = the "
                     "machine's")
        ->envname("BOS_PEER_AUTHORITIES");
    word->add_flag("--events,!--no-events", options->node.events,
                   "Publish every event to <prefix>.events.<tenant>, where the log is on Kafka")
        ->envname("BOS_EVENTS")
        ->capture_default_str();
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
