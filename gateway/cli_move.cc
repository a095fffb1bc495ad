// bos promote|pull: moves the log of a data folder to Kafka, served or not, and back.
#include "gateway/cli.h"
#include "gateway/control_socket.h"
#include "gateway/move_log.h"

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
};

void print(std::string_view line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
}

/// The process that serves the folder does it, while it serves.
Result<void> order_promotion(const MoveOptions& options) {
    boost::json::array properties(options.kafka.properties.begin(), options.kafka.properties.end());
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
    if (!fs::exists(data / "log"))
        return fail(Code::not_found, fmt::format("{} has no embedded log", options.data));
    {
        BOS_TRY(const auto from, open_embedded_log(data, keys_are_durable));
        BOS_TRY(const auto to, open_kafka_log(data, options.kafka, keys_are_durable));
        BOS_CHECK(copy_all(*from, *to, print));
    }
    BOS_CHECK(put_embedded_log_aside(data));
    fmt::print("the log is on {}: serve it with --kafka. {} may be deleted\n",
               options.kafka.brokers, (data / "promoted-log").string());
    return {};
}

/// Topics stay as they are. A folder without a replica is filled from them: a copy to work with.
Result<void> pull(const MoveOptions& options) {
    const fs::path data = options.data;
    std::error_code error;
    fs::create_directories(data, error);
    {
        BOS_TRY(const auto from, open_kafka_log(data, options.kafka, keys_are_durable));
        BOS_TRY(const auto to, open_embedded_log(data, keys_are_durable));
        BOS_CHECK(copy_all(*from, *to, print));
    }
    fs::remove_all(data / "replica", error);
    if (error) return fail(Code::unavailable, "cannot remove the replica: " + error.message());
    fmt::print("the log is in {}: serve it without --kafka\n", (data / "log").string());
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
        word->get_option("--kafka")->required();
        word->callback([options, move, &status] {
            const auto moved = move(*options);
            status = moved ? 0 : report(moved.error());
        });
    };
    add_word("promote",
             "Move the log of a data folder to Kafka, byte by byte, while it is served or not",
             &promote);
    add_word("pull",
             "Copy the log from Kafka into a data folder, byte by byte; its server is stopped",
             &pull);
}

}  // namespace bos::gateway
