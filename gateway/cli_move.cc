// bos promote|pull: moves the log of a data folder whose server is stopped to Kafka, and back.
#include "eventstore/copy_log.h"
#include "gateway/cli.h"
#include "schemas/base/digest.h"

#include <CLI/CLI.hpp>
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

/// Keys were made durable before the records that name them were first written.
Result<void> keys_are_durable() { return {}; }

Result<void> copy_all(const eventstore::EventLog& from, eventstore::EventLog& to) {
    BOS_TRY(const std::vector<TenantId> tenants, from.tenants());
    for (const TenantId& tenant : tenants) {
        BOS_TRY(const eventstore::Head head, copy_tenant(from, to, tenant));
        fmt::print("{}: {} records, head {}\n", tenant.value(), head.position.value,
                   to_hex(head.hash));
    }
    return {};
}

Result<void> move_away(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::rename(from, to, error);
    if (!error || error == std::errc::no_such_file_or_directory) return {};
    return fail(Code::unavailable, fmt::format("cannot move {} to {}: {}", from.string(),
                                               to.string(), error.message()));
}

/// The embedded log is kept beside, under another name, until somebody deletes it.
Result<void> promote(const MoveOptions& options) {
    const fs::path data = options.data;
    if (!fs::exists(data / "log"))
        return fail(Code::not_found, fmt::format("{} has no embedded log", options.data));
    {
        BOS_TRY(const auto from, open_embedded_log(data, keys_are_durable));
        BOS_TRY(const auto to, open_kafka_log(data, options.kafka, keys_are_durable));
        BOS_CHECK(copy_all(*from, *to));
    }
    // The folder first: with it gone, the folder is one whose log is on Kafka.
    BOS_CHECK(move_away(data / "log", data / "promoted-log"));
    BOS_CHECK(move_away(data / "log.mark", data / "promoted-log.mark"));
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
        BOS_CHECK(copy_all(*from, *to));
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
        word->add_option("--data", options->data, "The data folder; its server is stopped")
            ->envname("BOS_DATA")
            ->capture_default_str();
        add_kafka_options(*word, options->kafka);
        word->get_option("--kafka")->required();
        word->callback([options, move, &status] {
            const auto moved = move(*options);
            status = moved ? 0 : report(moved.error());
        });
    };
    add_word("promote", "Move the log of a data folder to Kafka, byte by byte", &promote);
    add_word("pull", "Copy the log from Kafka into a data folder, byte by byte", &pull);
}

}  // namespace bos::gateway
