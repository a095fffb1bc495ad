// bos: the one binary. Each word of the command line is in a file of its own.

#include "gateway/cli.h"
#include "gateway/json_log.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

int main(int argc, char** argv) {
    // Answers go to standard output, so what is said about them goes to standard error.
    bos::gateway::log_as_json();

    CLI::App app{"BOS: an event-sourced backend for a business, on one log per tenant."};
    app.require_subcommand(1);
    app.set_help_all_flag("--help-all", "Help of every word at once");
    app.set_config("--config", "",
                   "File of settings: [serve] port=8080 …; flags come before it, it comes before "
                   "BOS_… variables");
    app.allow_config_extras(CLI::config_extras_mode::error);
    int status = 0;
    bos::gateway::add_serve(app, status);
    bos::gateway::add_log(app, status);
    bos::gateway::add_views(app, status);
    bos::gateway::add_key(app, status);
    bos::gateway::add_move(app, status);
    bos::gateway::add_schema(app, status);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error);
    } catch (const std::exception& error) {
        fmt::print(stderr, "bos: {}\n", error.what());
        return 1;
    }
    return status;
}
