// bos schema: what the binary knows of messages and routes.
#include "commands/modules.h"
#include "gateway/asyncapi.h"
#include "gateway/cli.h"
#include "gateway/openapi.h"
#include "gateway/queries.h"
#include "gateway/schema_export.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>
#include <string>

namespace bos::gateway {

namespace {

void list_messages() {
    for_each_type(commands::Modules{}, [&]<class Module>() {
        [&]<class... Events>(std::type_identity<std::variant<Events...>>) {
            (fmt::print("event    {:>5} {}\n", Events::number, Events::wire_name), ...);
        }(std::type_identity<typename Module::Event>{});
        for_each_type(typename Module::Commands{}, [&]<class Command>() {
            fmt::print("command        {:<34} {} {} ({})\n", Command::wire_name, Command::method,
                       Command::path, Command::permission);
        });
    });
    for_each_type(QueryLists{}, [&]<class Queries>() {
        for_each_type(Queries{}, [&]<class Query>() {
            fmt::print("query          {:<34} {} {} ({})\n", Query::wire_name, Query::method,
                       Query::path, Query::permission);
        });
    });
}

}  // namespace

void add_schema(CLI::App& app, int& status) {
    struct Options {
        bool openapi = false;
        bool asyncapi = false;
        std::string folder;
    };
    CLI::App* schema = app.add_subcommand(
        "schema", "List events, commands and queries, or tell of them in other forms");
    const auto options = std::make_shared<Options>();
    auto* openapi =
        schema->add_flag("--openapi", options->openapi, "Print the OpenAPI 3.1 document");
    schema->add_flag("--asyncapi", options->asyncapi, "Print the AsyncAPI 3.0 document")
        ->excludes(openapi);
    CLI::App* exported = schema->add_subcommand(
        "export", "Write the schemas of events, their index and both documents for consumers");
    exported->add_option("DIR", options->folder, "Folder to write into")->required();
    schema->callback([=, &status] {
        status = 0;
        if (exported->parsed()) {
            const auto written = export_schemas(options->folder);
            if (!written) status = report(written.error());
        } else if (options->openapi) {
            fmt::print("{}\n", openapi_document());
        } else if (options->asyncapi) {
            fmt::print("{}\n", asyncapi_document());
        } else {
            list_messages();
        }
    });
}

}  // namespace bos::gateway
