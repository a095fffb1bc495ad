// bos schema: what the binary knows of messages and routes.
#include "commands/modules.h"
#include "gateway/cli.h"
#include "gateway/openapi.h"
#include "gateway/queries.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>

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
    CLI::App* schema = app.add_subcommand(
        "schema", "List events, commands and queries, or print the OpenAPI document");
    const auto openapi = std::make_shared<bool>(false);
    schema->add_flag("--openapi", *openapi, "Print the OpenAPI 3.1 document");
    schema->callback([openapi, &status] {
        if (*openapi) {
            fmt::print("{}\n", openapi_document());
        } else {
            list_messages();
        }
        status = 0;
    });
}

}  // namespace bos::gateway
