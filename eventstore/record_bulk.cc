#include "eventstore/record_bulk.h"

#include "eventstore/log_rows.h"
#include "eventstore/rocks_status.h"
#include "eventstore/sorted_file.h"

#include <fmt/format.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <string>

namespace bos::eventstore {

namespace {

Result<void> put_note(rocksdb::WriteBatch& batch, const LogDatabase& database,
                      const std::string& key, const std::string& value) {
    BOS_ROCKS(batch.Put(database.families().notes, key, value), "build a batch");
    return {};
}

Result<void> put_origin(rocksdb::WriteBatch& batch, const LogDatabase& database,
                        const TenantId& tenant, Offset offset) {
    return put_note(batch, database, log_rows::origin_key(tenant),
                    log_rows::origin_value(static_cast<std::uint64_t>(offset.value)));
}

Result<void> write_batch(const LogDatabase& database, const RecordPortion& portion) {
    rocksdb::WriteBatch batch;
    std::uint64_t sequence = portion.before;
    for (const std::string_view record : portion.records) {
        BOS_ROCKS(batch.Put(database.families().records, log_rows::record_key(++sequence), record),
                  "build a batch");
    }
    for (const auto& [tenant, end] : portion.ends)
        BOS_CHECK(put_origin(batch, database, tenant, end.offset));
    return database.write({}, batch);
}

/// RocksDB takes files in, but no notes with them. So the notes come first, and hold for each
/// tenant where it ends now and where it ends with the file: whichever is true.
Result<void> write_file(const LogDatabase& database, const RecordPortion& portion) {
    SortedFile file(database, database.families().records,
                    fmt::format("records-{}", portion.before + 1));
    BOS_CHECK(file.begin());
    std::uint64_t sequence = portion.before;
    for (const std::string_view record : portion.records)
        BOS_CHECK(file.put(log_rows::record_key(++sequence), record));
    rocksdb::WriteBatch batch;
    for (const auto& [tenant, end] : portion.ends) {
        if (end.before.value > 0) {
            BOS_TRY(const auto now, origin_of(database, tenant, end.before));
            if (now) BOS_CHECK(put_origin(batch, database, tenant, *now));
        }
        const log_rows::AnnouncedRow announced{
            .position = end.position, .offset = static_cast<std::uint64_t>(end.offset.value)};
        BOS_CHECK(put_note(batch, database, log_rows::announced_key(tenant),
                           log_rows::announced_value(announced)));
    }
    BOS_CHECK(database.write({}, batch));
    return file.ingest();  // and syncs the notes before
}

}  // namespace

Result<void> write_portion(const LogDatabase& database, const RecordPortion& portion,
                           std::size_t file_bytes) {
    return portion.bytes >= file_bytes ? write_file(database, portion)
                                       : write_batch(database, portion);
}

/// A file was announced before it came. If it did, the tenant ends where it was to end.
Result<std::optional<Offset>> origin_of(const LogDatabase& database, const TenantId& tenant,
                                        Position position) {
    BOS_TRY(const auto announced, note_of(database, log_rows::announced_key(tenant)));
    if (announced) {
        const auto row = log_rows::announced_row(*announced);
        if (row && row->position == position) return Offset{static_cast<std::int64_t>(row->offset)};
    }
    BOS_TRY(const auto note, note_of(database, log_rows::origin_key(tenant)));
    const auto offset = note ? log_rows::origin_row(*note) : std::nullopt;
    if (!offset) return std::nullopt;
    return Offset{static_cast<std::int64_t>(*offset)};
}

Result<std::optional<std::string>> note_of(const LogDatabase& database, const std::string& key) {
    // Earlier releases had the notes in the index.
    for (rocksdb::ColumnFamilyHandle* family :
         {database.families().notes, database.families().index}) {
        std::string value;
        const rocksdb::Status status = database.db().Get({}, family, key, &value);
        if (status.IsNotFound()) continue;
        BOS_ROCKS(status, "read a note");
        return value;
    }
    return std::nullopt;
}

}  // namespace bos::eventstore
