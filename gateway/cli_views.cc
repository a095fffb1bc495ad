// bos views rebuild|hash: the read models of a data folder whose server is stopped.
#include "gateway/cli.h"
#include "gateway/node.h"
#include "gateway/remote_rebuild.h"
#include "schemas/base/digest.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <thread>

namespace bos::gateway {

namespace {

struct ViewOptions {
    std::string data = "data";
    std::string tenant;
    KafkaCluster kafka;
    std::string master_key;
    unsigned threads = 1;
    RemoteNode node;
};

void draw_progress(std::string_view name, Position done, Position all) {
    constexpr std::uint64_t width = 40;
    if (all.value == 0) return;
    const std::uint64_t filled = done.value * width / all.value;
    fmt::print(stderr, "\r{} [{:#<{}}{:.<{}}] {} of {} ", name, "", filled, "", width - filled,
               done.value, all.value);
    if (done == all) fmt::print(stderr, "\n");
}

/// Opens the node of the folder and does `work` for each tenant that was asked for.
template <class Work>
int for_each_tenant(const ViewOptions& options, const Work& work) {
    SystemClock clock;
    SystemRandom random;
    const auto node = Node::open({.data = options.data,
                                  .kafka = options.kafka,
                                  .master_key = options.master_key,
                                  .shards = 1,
                                  .limits = {}},
                                 clock, random);
    if (!node) return report(node.error());
    const auto tenants = tenants_asked((*node)->log(), options.tenant);
    if (!tenants) return report(tenants.error());
    for (const TenantId& tenant : *tenants) {
        Result<void> done = (*node)->open_tenant(tenant);
        if (done) done = work(**node, tenant);
        if (!done) return report(done.error());
    }
    return 0;
}

int rebuild(const ViewOptions& options) {
    return for_each_tenant(options, [&](Node& node, const TenantId& tenant) {
        projections::RebuildOptions rebuild_options;
        rebuild_options.threads = options.threads;
        rebuild_options.progress = [&](Position done, Position all) {
            draw_progress(tenant.value(), done, all);
        };
        return node.runner().rebuild(tenant, node.log(), rebuild_options);
    });
}

/// While a server runs it alone has the stores, so it does the work and this process
/// asks how far it is.
int rebuild_on_server(const ViewOptions& options) {
    const auto rebuilt = rebuild_remotely(options.node, [](std::uint64_t done, std::uint64_t all) {
        draw_progress("views", Position{done}, Position{all});
    });
    return rebuilt ? 0 : report(rebuilt.error());
}

int rebuild_here_or_there(const ViewOptions& options) {
    return options.node.api_key.empty() ? rebuild(options) : rebuild_on_server(options);
}

int hash(const ViewOptions& options) {
    return for_each_tenant(options, [](Node& node, const TenantId& tenant) -> Result<void> {
        BOS_TRY(const std::vector<projections::ViewHash> hashes, node.runner().hash(tenant));
        for (const projections::ViewHash& view : hashes)
            fmt::print("{} {} {}\n", tenant.value(), view.view, to_hex(view.hash));
        return {};
    });
}

}  // namespace

void add_views(CLI::App& app, int& status) {
    CLI::App* views =
        app.add_subcommand("views", "Rebuild and compare the read models of a data folder");
    views->require_subcommand(1);
    const auto options = std::make_shared<ViewOptions>();
    const auto add_word = [&](const char* name, const char* help, int (*run)(const ViewOptions&)) {
        CLI::App* word = views->add_subcommand(name, help);
        word->add_option("--data", options->data, "The data folder")
            ->envname("BOS_DATA")
            ->capture_default_str();
        word->add_option("--tenant", options->tenant, "One tenant; without it all");
        add_kafka_options(*word, options->kafka);
        add_master_key_option(*word, options->master_key);
        word->callback([run, options, &status] { status = run(*options); });
        return word;
    };
    CLI::App* word =
        add_word("rebuild",
                 "Build every view anew: here, or with --api-key on the server that has the folder",
                 &rebuild_here_or_there);
    word->add_option("--threads", options->threads, "Views built at the same time")
        ->check(CLI::Range(1U, 64U))
        ->capture_default_str();
    word->add_option("--api-key", options->node.api_key, "A key that may manage views")
        ->envname("BOS_API_KEY");
    word->add_option("--address", options->node.address, "The server's numeric address")
        ->envname("BOS_ADDRESS")
        ->capture_default_str();
    word->add_option("--port", options->node.port, "The server's port")
        ->envname("BOS_PORT")
        ->capture_default_str();
    add_word("hash", "Print a hash of each view's rows and past; equal logs give equal hashes",
             &hash);
}

}  // namespace bos::gateway
