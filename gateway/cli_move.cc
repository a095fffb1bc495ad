// bos promote|pull: moves the log of a data folder to Kafka, with its keys, served or not, and
// back.
#include "gateway/cli.h"
#include "gateway/control_socket.h"
#include "gateway/move_keys.h"
#include "gateway/move_log.h"
#include "gateway/open_credentials.h"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <memory>

namespace bos::gateway {

namespace {

namespace fs = std::filesystem;

struct MoveOptions {
    std::string data = "data";
    KafkaCluster kafka;
    std::string master_key;
};

void print(std::string_view line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
}

/// The process that serves the folder does it, while it serves.
Result<void> order_promotion(const MoveOptions& options) {
    // The file is this process's: the other one may be another user's, in another folder.
    BOS_TRY(const KafkaProperties given, given_properties(options.kafka));
    boost::json::array properties;
    for (const auto& [name, value] : given) properties.emplace_back(name + "=" + value);
    return give_order(options.data,
                      {{"do", "promote"},
                       {"kafka", options.kafka.brokers},
                       {"prefix", options.kafka.prefix},
                       {"replication", options.kafka.replication_factor},
                       {"min_insync", options.kafka.min_insync_replicas},
                       {"properties", std::move(properties)}},
                      print);
}

Result<void> promote(const MoveOptions& options) {
    const Result<void> ordered = order_promotion(options);
    if (ordered || ordered.error().code != Code::not_found) return ordered;
    const fs::path data = options.data;
    const bool has_log = fs::exists(data / "log");
    if (has_log) BOS_CHECK(check_room_aside(data));
    if (!has_log && !fs::exists(data / "keys") && !fs::exists(credential_file(data)))
        return fail(Code::not_found, fmt::format("{} has nothing of its own", options.data));
    BOS_CHECK(check_access(options.kafka));
    // What is cut short is done again: nothing in the folder changes before all is on Kafka. Keys
    // come before the records that name them.
    BOS_CHECK(share_keys(data, options.kafka, options.master_key));
    BOS_CHECK(share_credentials(data, options.kafka));
    if (has_log) {
        BOS_TRY(const auto from, open_embedded_log(data, nullptr));
        BOS_TRY(const auto to, open_kafka_log(data, options.kafka, nullptr));
        BOS_CHECK(copy_all(*from, *to, print));
    }
    BOS_CHECK(put_own_keys_aside(data));
    BOS_CHECK(forget_own_keys(data));
    BOS_CHECK(put_embedded_log_aside(data));
    fmt::print(
        "{} is on {}: serve it with --kafka, on every node with this master key. {} and "
        "promoted-credentials.jsonl may be deleted\n",
        options.data, options.kafka.brokers, (data / "promoted-log").string());
    return {};
}

/// Topics stay as they are. A folder without copies is filled from them: one to work with. The
/// copies go last: with them there, what was cut short is done again.
Result<void> pull(const MoveOptions& options) {
    BOS_CHECK(check_access(options.kafka));
    const fs::path data = options.data;
    std::error_code error;
    fs::create_directories(data, error);
    BOS_CHECK(bring_keys(data, options.kafka, options.master_key));
    BOS_CHECK(bring_credentials(data, options.kafka));
    {
        BOS_TRY(const auto from, open_kafka_log(data, options.kafka, nullptr));
        BOS_TRY(const auto to, open_embedded_log(data, nullptr));
        BOS_CHECK(copy_all(*from, *to, print));
    }
    fs::remove_all(data / "replica", error);
    if (error) return fail(Code::unavailable, "cannot remove the replica: " + error.message());
    BOS_CHECK(remove_copies_of_keys(data));
    fmt::print("log, keys and API keys are in {}: serve it without --kafka\n", options.data);
    return {};
}

}  // namespace

void add_move(CLI::App& app, int& status) {
    const auto add_word = [&](const char* name, const char* help,
                              Result<void> (*move)(const MoveOptions&)) {
        const auto options = std::make_shared<MoveOptions>();
        CLI::App* word = app.add_subcommand(name, help);
        word->add_option("--data", options->data, "The data folder")
            ->envname("BOS_DATA")
            ->capture_default_str();
        add_kafka_options(*word, options->kafka);
        add_master_key_option(*word, options->master_key);
        word->get_option("--kafka")->required();
        word->callback([options, move, &status] {
            const auto moved = move(*options);
            status = moved ? 0 : report(moved.error());
        });
    };
    add_word("promote",
             "Move log, keys and API keys of a data folder to Kafka, while it is served or not",
             &promote);
    add_word("pull",
             "Copy log, keys and API keys from Kafka into a data folder; its server is stopped",
             &pull);
}

}  // namespace bos::gateway
