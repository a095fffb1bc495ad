#pragma once

namespace CLI {
class App;
}

namespace bos::gateway {

/// The words of the command line. Each sets `status` to the exit code when its word was given.
void add_serve(CLI::App& app, int& status);
void add_log(CLI::App& app, int& status);
void add_views(CLI::App& app, int& status);
void add_key(CLI::App& app, int& status);
void add_schema(CLI::App& app, int& status);

}  // namespace bos::gateway
