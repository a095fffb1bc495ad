#pragma once

#include "gateway/node.h"

#include <string>
#include <vector>

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
void add_move(CLI::App& app, int& status);

/// The flags that say where a log is that is not embedded.
void add_kafka_options(CLI::App& word, KafkaCluster& kafka);

/// The flag of words that open personal data.
void add_master_key_option(CLI::App& word, std::string& master_key);

/// The tenant of this name, or all of the log where it is empty. Errors: invalid; not_found where
/// the log has no record of it.
[[nodiscard]] Result<std::vector<TenantId>> tenants_asked(const eventstore::EventLog& log,
                                                          const std::string& name);

/// Says an error on standard error; the exit code for it.
[[nodiscard]] int report(const Error& error);

}  // namespace bos::gateway
