#include "eventstore/kafka_log.h"

#include "eventstore/kafka_engine.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <future>
#include <iterator>
#include <utility>

namespace bos::eventstore {

/// In the order in which they come up; they go down in the reverse one.
struct KafkaLog::Parts {
    SystemClock clock;
    SystemRandom random;
    std::unique_ptr<KafkaReplica> replica;
    std::unique_ptr<KafkaEngine> engine;
};

namespace {

KafkaEngineOptions engine_options(const KafkaLogOptions& options, Clock& clock, Random& random) {
    KafkaEngineOptions engine;
    engine.producer.properties = options.properties;
    engine.producer.properties.emplace_back("bootstrap.servers", options.brokers);
    engine.producer.timeout = options.produce_timeout;
    engine.producer.record_bytes_max = record_bytes_max;
    engine.producer.records_max = options.queue_records_max;
    engine.topics = {.prefix = options.topic_prefix,
                     .replicas = options.replication_factor,
                     .min_insync_replicas = options.min_insync_replicas,
                     .record_bytes_max = record_bytes_max,
                     .timeout = options.request_timeout};
    engine.limits = {.settle = options.settle_timeout, .silence = options.request_timeout};
    engine.bounds = {.records_max = options.queue_records_max,
                     .bytes_max = options.queue_bytes_max};
    engine.before_send = options.before_send;
    engine.clock = options.clock ? options.clock : &clock;
    engine.random = options.random ? options.random : &random;
    return engine;
}

/// Reads every tenant that the cluster or the replica knows to its end. A tenant whose topic cannot
/// be read, or is not what it was, is told of in the log, and served from the replica.
Result<void> catch_up_all(KafkaEngine& engine, const KafkaReplica& replica) {
    BOS_TRY(std::vector<TenantId> tenants, engine.topics().tenants());
    BOS_TRY(const std::vector<TenantId> known, replica.tables().tenants());
    std::vector<TenantId> all;
    std::ranges::set_union(tenants, known, std::back_inserter(all));
    std::vector<std::future<void>> ends;
    for (const TenantId& tenant : all) {
        auto end = std::make_shared<std::promise<void>>();
        ends.push_back(end->get_future());
        engine.follow({tenant, false, [end](const Result<void>&) { end->set_value(); }});
    }
    for (std::future<void>& end : ends) end.wait();
    return {};
}

}  // namespace

Result<std::unique_ptr<KafkaLog>> KafkaLog::open(KafkaLogOptions options) {
    auto parts = std::make_unique<Parts>();
    BOS_TRY(parts->replica, KafkaReplica::open({.path = options.replica_path,
                                                .env = options.env,
                                                .cache_bytes = options.cache_bytes,
                                                .memtable_bytes = options.memtable_bytes,
                                                .free_bytes_min = options.free_bytes_min,
                                                .fatal = options.fatal}));
    BOS_TRY(parts->engine, KafkaEngine::start(engine_options(options, parts->clock, parts->random),
                                              *parts->replica));
    Result<void> reached = parts->engine->check_cluster();
    if (reached) reached = catch_up_all(*parts->engine, *parts->replica);
    if (!reached) {
        BOS_TRY(const std::optional<std::string> cluster, parts->replica->cluster_id());
        if (!cluster) {
            return fail(reached.error().code,
                        fmt::format("{}: {}", options.brokers, reached.error().detail));
        }
        spdlog::warn("{}: {}: what was read before is served, appends are refused", options.brokers,
                     reached.error().detail);
    }
    return std::unique_ptr<KafkaLog>(new KafkaLog(std::move(parts)));
}

KafkaLog::KafkaLog(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

KafkaLog::~KafkaLog() { stop(); }

void KafkaLog::append(std::string record, AppendDone done) {
    parts_->engine->append(std::move(record), std::move(done));
}

void KafkaLog::confirm(const TenantId& tenant, const Head& end, AppendDone done) {
    parts_->engine->confirm(tenant, end, std::move(done));
}

Result<Head> KafkaLog::head(const TenantId& tenant) const {
    return parts_->replica->tables().head(tenant);
}

Result<std::string> KafkaLog::read(const TenantId& tenant, Position position) const {
    return parts_->replica->tables().read(tenant, position);
}

Result<void> KafkaLog::scan(const TenantId& tenant, Position from, Position to,
                            const Visit& visit) const {
    return parts_->replica->tables().scan(tenant, from, to, visit);
}

Result<void> KafkaLog::scan_links(const TenantId& tenant, Position from, Position to,
                                  const VisitLink& visit) const {
    return parts_->replica->tables().scan_links(tenant, from, to, visit);
}

Result<std::vector<EventAddress>> KafkaLog::stream(const TenantId& tenant, const StreamId& stream,
                                                   Version from, std::size_t limit) const {
    return parts_->replica->tables().stream(tenant, stream, from, limit);
}

Result<std::optional<Position>> KafkaLog::find_key(const TenantId& tenant,
                                                   std::string_view key) const {
    return parts_->replica->tables().find_key(tenant, key);
}

Result<std::vector<TenantId>> KafkaLog::tenants() const {
    return parts_->replica->tables().tenants();
}

void KafkaLog::stop() { parts_->engine->stop(); }

void KafkaLog::follow(const TenantId& tenant, FollowDone done) {
    parts_->engine->follow({tenant, true, std::move(done)});
}

void KafkaLog::catch_up(const TenantId& tenant, FollowDone done) {
    parts_->engine->follow({tenant, false, std::move(done)});
}

void KafkaLog::listen(Listener listener) { parts_->engine->listen(std::move(listener)); }

Result<std::vector<TenantId>> KafkaLog::tenants_in_cluster() const {
    return parts_->engine->topics().tenants();
}

std::uint64_t KafkaLog::ignored(const TenantId& tenant) const {
    return parts_->engine->ignored(tenant);
}

Result<void> KafkaLog::settle() { return parts_->replica->settle(); }

bool KafkaLog::was_read(const TenantId& tenant) const { return parts_->engine->was_read(tenant); }

}  // namespace bos::eventstore
