#include "eventstore/kafka_replica.h"

#include "eventstore/fail_stop_fs.h"
#include "eventstore/log_rows.h"

#include <fmt/format.h>

#include <utility>

namespace bos::eventstore {

namespace {

// Log, then the table that a flush writes beside it, then index rows.
constexpr std::uint64_t disk_bytes_per_record_byte = 3;

Result<std::unique_ptr<LogTables>> open_sound(LogTablesOptions options) {
    BOS_TRY(auto tables, LogTables::open(std::move(options)));
    BOS_CHECK(tables->check_index());
    return tables;
}

}  // namespace

Result<std::unique_ptr<KafkaReplica>> KafkaReplica::open(const KafkaReplicaOptions& options) {
    auto replica = std::unique_ptr<KafkaReplica>(new KafkaReplica(options));
    replica->env_ =
        fail_stop_env(options.env ? *options.env : *rocksdb::Env::Default(), options.fatal);
    BOS_TRY(replica->lock_, FileLock::acquire(*replica->env_, options.path + ".lock"));
    auto tables = open_sound({.path = options.path,
                              .env = replica->env_.get(),
                              .fatal = options.fatal,
                              .cache_bytes = options.cache_bytes,
                              .memtable_bytes = options.memtable_bytes,
                              .bulk_entries = options.bulk_entries,
                              .refillable = true,
                              .held = options.held,
                              .file_bytes = options.file_bytes});
    if (!tables) {
        if (tables.error().code != Code::corrupt) return std::unexpected(tables.error());
        return fail(Code::corrupt,
                    fmt::format("the replica in {} is damaged: {}. To do: delete the folder; it is "
                                "filled again from Kafka",
                                options.path, tables.error().detail));
    }
    replica->tables_ = *std::move(tables);
    return replica;
}

Result<std::optional<std::string>> KafkaReplica::cluster_id() const {
    return tables_->note(log_rows::cluster_key());
}

Result<void> KafkaReplica::set_cluster_id(const std::string& id) {
    return tables_->set_note(log_rows::cluster_key(), id);
}

Result<KafkaReplica::End> KafkaReplica::end(const TenantId& tenant) const {
    BOS_TRY(const Head head, tables_->head(tenant));
    if (head.position.value == 0) return End{};
    BOS_TRY(const auto offset, tables_->origin(tenant, head.position));
    if (!offset) {
        return fail(Code::corrupt, tenant.value() +
                                       ": the replica does not say where its records "
                                       "come from: delete its folder");
    }
    BOS_TRY(const std::string record, tables_->read(tenant, head.position));
    BOS_TRY(const Link link, link_of(record));
    return End{.head = head, .offset = offset, .recorded_at = link.recorded_at};
}

Result<void> KafkaReplica::write(std::span<const RecordView> records,
                                 std::span<const Origin> origins) {
    Result<void> written = tables_->fill(records, origins);
    full_ = !written && written.error().code == Code::full;
    if (!written && !full_)
        options_.fatal("the replica cannot be filled: " + written.error().detail);
    return written;
}

Result<void> KafkaReplica::make_room(std::uint64_t bytes) {
    std::uint64_t free = 0;
    const std::uint64_t needed = options_.free_bytes_min + disk_bytes_per_record_byte * bytes;
    if (env_->GetFreeSpace(options_.path, &free).ok() && free < needed) {
        return fail(Code::full, fmt::format("{} bytes are free in {}, {} are needed", free,
                                            options_.path, needed));
    }
    if (!full_ && !tables_->is_stuck()) return {};
    BOS_CHECK(tables_->reopen());
    full_ = false;
    return {};
}

}  // namespace bos::eventstore
