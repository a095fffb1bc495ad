// bos log dump|verify|tail: what stands in the log of a data folder.
#include "eventstore/event_log.h"
#include "eventstore/log_reader.h"
#include "eventstore/rocks_log.h"
#include "gateway/cli.h"
#include "gateway/control_socket.h"
#include "gateway/record_json.h"
#include "schemas/base/digest.h"

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <thread>

namespace bos::gateway {

namespace {

struct LogOptions {
    std::string data = "data";
    std::string tenant;
    std::uint64_t from = 1;
    std::uint64_t to = UINT64_MAX;
    bool follow = false;
};

/// The log of a folder whose topics are on Kafka is read from its replica: how far this node is.
bool has_replica(const std::string& data) {
    std::error_code ignored;
    return std::filesystem::exists(data + "/replica", ignored);
}

/// A server has a replica's newest records in memory alone. One that is busy moving a log, or of an
/// earlier release, is not waited for: then the dump may end a second ago.
void settle_replica(const std::string& data) {
    const auto settled =
        give_order(data, {{"do", "settle"}}, [](std::string_view) {}, std::chrono::seconds(2));
    if (settled || settled.error().code == Code::not_found) return;
    fmt::print(stderr, "the newest records may be missing: {}\n", settled.error().detail);
}

/// Reading beside a running server is possible: the log is opened without taking its lock.
Result<std::unique_ptr<eventstore::EventLog>> open_log(const std::string& data) {
    if (has_replica(data)) settle_replica(data);
    return eventstore::open_log_for_reading(data + (has_replica(data) ? "/replica" : "/log"));
}

/// A replica has no mark: what it lost it reads again.
Result<void> check_end(const std::string& data) {
    return has_replica(data) ? Result<void>() : eventstore::check_mark(data + "/log");
}

Result<Position> dump_one(const eventstore::EventLog& log, const TenantId& tenant, Position from,
                          Position to) {
    Position last{from.value - 1};
    Result<void> decoded;
    BOS_CHECK(log.scan(tenant, from, to, [&](Position position, std::string_view record) {
        const auto commit = eventstore::decode(record);
        if (!commit) {
            decoded = std::unexpected(commit.error());
            return false;
        }
        fmt::print("{}\n", record_json(*commit, eventstore::hash_of(record)));
        last = position;
        return true;
    }));
    if (!decoded) return std::unexpected(std::move(decoded).error());
    std::fflush(stdout);
    return last;
}

int dump(const LogOptions& options) {
    const auto log = open_log(options.data);
    if (!log) return report(log.error());
    const auto tenants = tenants_asked(**log, options.tenant);
    if (!tenants) return report(tenants.error());
    for (const TenantId& tenant : *tenants) {
        const auto last = dump_one(**log, tenant, Position{options.from}, Position{options.to});
        if (!last) return report(last.error());
    }
    return 0;
}

/// Opens the log again for each look: a reader without the lock sees the log as it was when it
/// opened it.
int tail(const LogOptions& options) {
    std::map<TenantId, Position> shown;
    bool first = true;
    do {
        const auto log = open_log(options.data);
        if (!log) return report(log.error());
        auto tenants = tenants_asked(**log, options.tenant);
        if (!tenants && !(options.follow && tenants.error().code == Code::not_found))
            return report(tenants.error());
        for (const TenantId& tenant : tenants ? *tenants : std::vector<TenantId>{}) {
            const auto head = (*log)->head(tenant);
            if (!head) return report(head.error());
            constexpr std::uint64_t lines = 10;
            const std::uint64_t start =
                first && head->position.value > lines ? head->position.value - lines : 0;
            Position& last = shown.try_emplace(tenant, Position{first ? start : 0}).first->second;
            if (head->position <= last) continue;
            const auto dumped = dump_one(**log, tenant, last.next(), head->position);
            if (!dumped) return report(dumped.error());
            last = *dumped;
        }
        first = false;
        if (options.follow) std::this_thread::sleep_for(std::chrono::milliseconds(300));
    } while (options.follow && !std::ferror(stdout));
    return 0;
}

/// For an operator who knows that what lies beyond the log's end is lost for good.
int accept_end(const LogOptions& options) {
    eventstore::RocksLogOptions log_options;
    log_options.path = options.data + "/log";
    log_options.accept_end = true;
    const auto log = eventstore::RocksLog::open(log_options);
    if (!log) return report(log.error());
    fmt::print(stderr, "the log in {}/log is taken as it is; its mark was written anew\n",
               options.data);
    return 0;
}

int verify(const LogOptions& options) {
    const auto log = open_log(options.data);
    if (!log) return report(log.error());
    const auto tenants = tenants_asked(**log, options.tenant);
    if (!tenants) return report(tenants.error());
    int status = 0;
    if (const auto marked = check_end(options.data); !marked) {
        fmt::print("BROKEN: {}\n", marked.error().detail);
        status = 1;
    }
    for (const TenantId& tenant : *tenants) {
        const auto verified = eventstore::verify_chain(**log, tenant);
        if (verified) {
            fmt::print("{}: {} records, {} bytes, head {}\n", tenant.value(),
                       verified->head.position.value, verified->bytes, to_hex(verified->head.hash));
        } else {
            fmt::print("{}: BROKEN: {}\n", tenant.value(), verified.error().detail);
            status = 1;
        }
    }
    return status;
}

}  // namespace

void add_log(CLI::App& app, int& status) {
    CLI::App* log = app.add_subcommand("log", "Show, follow and verify the log of a data folder");
    log->require_subcommand(1);
    const auto options = std::make_shared<LogOptions>();
    const auto add_word = [&](const char* name, const char* help, int (*run)(const LogOptions&)) {
        CLI::App* word = log->add_subcommand(name, help);
        word->add_option("--data", options->data, "The data folder")
            ->envname("BOS_DATA")
            ->capture_default_str();
        word->add_option("--tenant", options->tenant, "One tenant; without it all");
        word->callback([run, options, &status] { status = run(*options); });
        return word;
    };
    CLI::App* word =
        add_word("dump", "Print records as JSON lines; personal data shows as dots", &dump);
    word->add_option("--from", options->from, "First position")->check(CLI::PositiveNumber);
    word->add_option("--to", options->to, "Last position");
    add_word("verify", "Check positions and hashes of every record; the exit code tells", &verify);
    add_word(
        "accept-end",
        "Take a log that ends before its mark as it is: what was acknowledged beyond is given up",
        &accept_end);
    add_word("tail", "Print the last records", &tail)
        ->add_flag("-f,--follow", options->follow, "Go on with new ones");
}

}  // namespace bos::gateway
