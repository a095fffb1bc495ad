#include "eventstore/kafka_replica.h"

#include "eventstore/fail_stop_fs.h"
#include "eventstore/log_rows.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace bos::eventstore {

namespace {

// WAL, then the table that a flush writes beside it, then index rows.
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
                              .refillable = true});
    if (!tables) {
        if (tables.error().code != Code::corrupt) return std::unexpected(tables.error());
        return fail(Code::corrupt,
                    fmt::format("the replica in {} is damaged: {}. To do: delete the folder; it is "
                                "filled again from Kafka",
                                options.path, tables.error().detail));
    }
    replica->tables_ = *std::move(tables);
    BOS_TRY(const Mark end, replica->tables_->end());
    replica->sequence_ = end.sequence;
    return replica;
}

Result<std::optional<std::string>> KafkaReplica::cluster_id() const {
    return tables_->note(log_rows::cluster_key());
}

Result<void> KafkaReplica::set_cluster_id(const std::string& id) {
    const LogNote note{.key = log_rows::cluster_key(), .value = id};
    return tables_->fill(sequence_, {}, {&note, 1});
}

Result<KafkaReplica::End> KafkaReplica::end(const TenantId& tenant) const {
    BOS_TRY(const Head head, tables_->head(tenant));
    if (head.position.value == 0) return End{};
    BOS_TRY(const auto offset, offset_of(tenant, head.position));
    if (!offset) {
        return fail(Code::corrupt, tenant.value() +
                                       ": the replica does not say where its records "
                                       "come from: delete its folder");
    }
    BOS_TRY(const std::string record, tables_->read(tenant, head.position));
    BOS_TRY(const Link link, link_of(record));
    return End{.head = head, .offset = offset, .recorded_at = link.recorded_at};
}

/// A bulk was announced before it came. If it did, the tenant ends where it was to end.
Result<std::optional<Offset>> KafkaReplica::offset_of(const TenantId& tenant, Position head) const {
    BOS_TRY(const auto announced, tables_->note(log_rows::announced_key(tenant)));
    if (announced) {
        const auto row = log_rows::announced_row(*announced);
        if (row && row->position == head) return Offset{static_cast<std::int64_t>(row->offset)};
    }
    BOS_TRY(const auto note, tables_->note(log_rows::origin_key(tenant)));
    const auto offset = note ? log_rows::origin_row(*note) : std::nullopt;
    if (!offset) return std::nullopt;
    return Offset{static_cast<std::int64_t>(*offset)};
}

Result<void> KafkaReplica::write(std::span<const RecordView> records,
                                 std::span<const Origin> origins) {
    const Result<void> written =
        is_bulk(records) ? write_in_bulk(records, origins) : write_batch(records, origins);
    if (!written) {
        full_ = written.error().code == Code::full;
        if (!full_) options_.fatal("the replica cannot be written: " + written.error().detail);
        return written;
    }
    sequence_ += records.size();
    return {};
}

bool KafkaReplica::is_bulk(std::span<const RecordView> records) const {
    std::size_t bytes = 0;
    for (const RecordView& record : records) bytes += record.bytes.size();
    return bytes >= options_.bulk_bytes;
}

Result<void> KafkaReplica::write_batch(std::span<const RecordView> records,
                                       std::span<const Origin> origins) {
    std::vector<LogNote> notes;
    notes.reserve(origins.size());
    for (const Origin& origin : origins) {
        notes.push_back({log_rows::origin_key(*origin.tenant),
                         log_rows::origin_value(static_cast<std::uint64_t>(origin.offset.value))});
    }
    return tables_->fill(sequence_, records, notes);
}

/// RocksDB takes files in, but no notes with them. So the notes come first, and hold for each
/// tenant where it ends now and where it ends with the bulk: whichever is true.
Result<void> KafkaReplica::write_in_bulk(std::span<const RecordView> records,
                                         std::span<const Origin> origins) {
    std::vector<LogNote> notes;
    notes.reserve(2 * origins.size());
    for (const Origin& origin : origins) {
        BOS_TRY(const Head head, tables_->head(*origin.tenant));
        if (head.position.value > 0) {
            BOS_TRY(const auto now, offset_of(*origin.tenant, head.position));
            if (now) {
                notes.push_back({log_rows::origin_key(*origin.tenant),
                                 log_rows::origin_value(static_cast<std::uint64_t>(now->value))});
            }
        }
        notes.push_back({log_rows::announced_key(*origin.tenant),
                         log_rows::announced_value(
                             {.position = origin.position,
                              .offset = static_cast<std::uint64_t>(origin.offset.value)})});
    }
    return tables_->fill_in_bulk(sequence_, records, notes);
}

Result<void> KafkaReplica::make_room(std::uint64_t bytes) {
    std::uint64_t free = 0;
    const std::uint64_t needed = options_.free_bytes_min + disk_bytes_per_record_byte * bytes;
    if (env_->GetFreeSpace(options_.path, &free).ok() && free < needed) {
        return fail(Code::full, fmt::format("{} bytes are free in {}, {} are needed", free,
                                            options_.path, needed));
    }
    if (!full_) return {};
    BOS_CHECK(tables_->reopen());
    BOS_TRY(const Mark end, tables_->end());
    sequence_ = end.sequence;
    full_ = false;
    return {};
}

}  // namespace bos::eventstore
