#include "eventstore/log_tables.h"

#include "eventstore/event_addresses.h"
#include "eventstore/index_bulk.h"
#include "eventstore/index_tables.h"
#include "eventstore/log_rows.h"
#include "eventstore/record_bulk.h"
#include "eventstore/rocks_status.h"
#include "eventstore/sorted_file.h"
#include "eventstore/verified_record.h"
#include "schemas/base/assert.h"
#include "schemas/base/digest.h"

#include <fmt/format.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <set>
#include <utility>

namespace bos::eventstore {

namespace {

constexpr std::size_t long_scan = 256;  // records; longer ones read ahead
constexpr std::size_t long_scan_readahead_bytes = 1024 * 1024;
constexpr int steps_before_seek = 8;  // records of other tenants between two of ours

std::unexpected<Error> corrupt(std::string what) { return fail(Code::corrupt, std::move(what)); }

std::string at(const TenantId& tenant, Position position) {
    return fmt::format("{} at {}", tenant.value(), position.value);
}

/// Of the record that the index says is at `position`.
Result<Link> link_at(const TenantId& tenant, Position position, std::string_view record,
                     VerifiedRecord::Room& room) {
    const Result<VerifiedRecord> verified = VerifiedRecord::of(record, room);
    if (!verified) return corrupt(at(tenant, position) + ": " + verified.error().detail);
    Link link = verified->link();
    if (link.tenant != tenant || link.position != position) {
        return corrupt(fmt::format("{}: the index leads to the record of {}", at(tenant, position),
                                   at(link.tenant, link.position)));
    }
    return link;
}

Result<Mark> end_of(const LogDatabase& database) {
    Mark end;
    const auto records = database.iterate({}, database.families().records);
    records->SeekToLast();
    if (records->Valid()) {
        const auto sequence = log_rows::sequence_of(records->key().ToStringView());
        if (!sequence) return corrupt("the last record has a key that is not ours");
        end = {.sequence = *sequence, .hash = hash_of(records->value().ToStringView())};
    }
    BOS_ROCKS(records->status(), "look for the last record");
    return end;
}

/// Of two answers to one question, both a beginning of the truth: what either knows.
std::vector<EventAddress> merged(std::vector<EventAddress> in_tables,
                                 const std::vector<EventAddress>& in_memory, std::size_t limit) {
    for (const EventAddress& address : in_memory) put_newest(in_tables, address);
    if (in_tables.size() > limit) in_tables.resize(limit);
    return in_tables;
}

}  // namespace

/// Uses the open database for the length of one read.
#define BOS_USE_DATABASE()                                                                      \
    const std::shared_lock lock(mutex_);                                                        \
    if (!database_) return fail(Code::unavailable, "the log's database could not be reopened"); \
    const LogDatabase& database = *database_

LogTables::LogTables(LogTablesOptions options)
    : options_(std::move(options)), tail_(options_.bulk_entries), records_(options_.held) {}

LogTables::~LogTables() {
    // What it cannot write now, on a full disk, is read from the topics again.
    if (record_writer_) std::ignore = records_.wait_until_all_written();
}

Result<std::unique_ptr<LogTables>> LogTables::open(LogTablesOptions options) {
    auto tables = std::unique_ptr<LogTables>(new LogTables(std::move(options)));
    BOS_CHECK(tables->reopen());
    if (!tables->options_.read_only) tables->start_movers();
    return tables;
}

void LogTables::start_movers() {
    using Indexer = TailMover<IndexTail>;
    using RecordWriter = TailMover<RecordTail>;
    BOS_ASSERT(!(options_.refillable && options_.post));
    indexer_ = std::make_unique<Indexer>(
        tail_, [this] { return move_oldest(); }, options_.fatal, "log indexer",
        options_.refillable ? Indexer::Priority::same : Indexer::Priority::low, options_.post);
    indexer_->look();
    if (!options_.refillable) return;
    record_writer_ = std::make_unique<RecordWriter>(
        records_, [this] { return write_oldest(); }, options_.fatal, "record writer",
        RecordWriter::Priority::same);
}

Result<void> LogTables::reopen() {
    const std::unique_lock lock(mutex_);
    database_.reset();
    const Result<void> opened = open_database(options_.read_only);
    // On a full disk nothing may be written, but all can be read: who cannot read decides nothing,
    // appends nothing, and so would never ask again whether there is space.
    if (!opened && opened.error().code == Code::full) BOS_CHECK(open_database(true));
    return opened;
}

/// With mutex_ held alone.
Result<void> LogTables::open_database(bool read_only) {
    LogTablesOptions options = options_;
    options.read_only = read_only;
    if (!read_only) BOS_CHECK(remove_unfinished_files(*options.env, options.path));
    BOS_TRY(auto database, LogDatabase::open(options));
    writable_ = !read_only;
    BOS_CHECK(index_newest_of(*database));
    database_ = std::move(database);
    return {};
}

Result<void> LogTables::reindex() {
    const std::unique_lock lock(mutex_);
    if (!database_) return fail(Code::unavailable, "the log's database could not be reopened");
    BOS_CHECK(database_->clear_index());
    return index_newest_of(*database_);
}

/// Makes what the tables do not have of the index.
Result<void> LogTables::index_newest_of(const LogDatabase& database) {
    BOS_TRY(const std::uint64_t written, index_tail_of(database));
    if (!options_.refillable) return {};
    if (!records_.restart(written)) {
        return corrupt(fmt::format("the tables end at record number {} and had more", written));
    }
    for (const RecordTail::Found& record : records_.all()) {
        BOS_TRY(const RecordIndex index, index_of(record.bytes));
        BOS_ASSERT(tail_.add(index));
    }
    return {};
}

/// The same of the records in the tables. Returns the last of them.
Result<std::uint64_t> LogTables::index_tail_of(const LogDatabase& database) {
    BOS_TRY(std::uint64_t sequence, IndexTables(database).end());
    tail_.restart(sequence);
    // Only tools look at a log without moving its index; they have the memory for a long one.
    bool moving = writable_;
    const auto records = database.iterate({}, database.families().records);
    for (records->Seek(log_rows::record_key(sequence + 1)); records->Valid(); records->Next()) {
        if (log_rows::sequence_of(records->key().ToStringView()) != ++sequence)
            return corrupt(fmt::format("record number {} is missing", sequence));
        const Result<RecordIndex> index = index_of(records->value().ToStringView());
        if (!index)
            return corrupt(fmt::format("record number {}: {}", sequence, index.error().detail));
        if (!tail_.add(*index)) {
            return corrupt(fmt::format("record number {} does not follow the one before it of {}",
                                       sequence, index->link.tenant.value()));
        }
        if (!moving || tail_.has_room()) continue;
        const Result<void> moved = move_oldest(database);
        if (!moved && moved.error().code != Code::full) return std::unexpected(moved.error());
        moving = moved.has_value();  // on a full disk it is read all the same
    }
    BOS_ROCKS(records->status(), "read the newest records");
    return sequence;
}

Result<void> LogTables::move_oldest(const LogDatabase& database) {
    const std::shared_ptr<const IndexSegment> segment = tail_.oldest_full();
    if (!segment) return {};  // reopened meanwhile
    // An ingestion that failed may have been seen through all the same.
    BOS_TRY(const std::uint64_t indexed, IndexTables(database).end());
    if (indexed < segment->last()) BOS_CHECK(write_bulk(database, *segment));
    tail_.drop_oldest();
    return {};
}

Result<void> LogTables::move_oldest() {
    // No row of the index leads to a record that a loss of power takes. Without the lock: who
    // reopens waits for it alone, and the writer of the records then waits for them.
    const std::shared_ptr<const IndexSegment> segment = tail_.oldest_full();
    if (options_.refillable && segment) BOS_CHECK(records_.wait_until_written(segment->last()));
    BOS_USE_DATABASE();
    if (!writable_) return fail(Code::full, "the log can only be read until there is space");
    if (tail_.oldest_full() != segment) return {};  // reopened meanwhile: another one to wait for
    return move_oldest(database);
}

Result<void> LogTables::write_oldest() {
    BOS_USE_DATABASE();
    if (!writable_) return fail(Code::full, "the log can only be read until there is space");
    const std::shared_ptr<const RecordPortion> portion = records_.oldest_full();
    if (!portion) return {};  // reopened meanwhile
    // A write that failed may have been seen through all the same.
    BOS_TRY(const Mark end, end_of(database));
    if (end.sequence < portion->last())
        BOS_CHECK(write_portion(database, *portion, options_.file_bytes));
    records_.drop_oldest();
    return {};
}

Result<Mark> LogTables::end() const {
    BOS_USE_DATABASE();
    return end_of(database);
}

Result<void> LogTables::check_index() const {
    BOS_USE_DATABASE();
    BOS_TRY(const std::uint64_t indexed, IndexTables(database).end());
    BOS_TRY(const Mark end, end_of(database));
    if (indexed <= end.sequence) return {};
    return corrupt(
        fmt::format("the records end at number {}, their index at {}", end.sequence, indexed));
}

std::optional<RecordTail::Found> LogTables::in_memory_alone(std::uint64_t sequence) const {
    if (!options_.refillable) return std::nullopt;
    return records_.find(sequence);
}

bool LogTables::is_stuck() const {
    const std::shared_lock lock(mutex_);
    return !writable_ || tail_.is_stuck() || records_.is_stuck();
}

Result<std::string> LogTables::record(std::uint64_t sequence) const {
    BOS_USE_DATABASE();
    std::string bytes;
    BOS_ROCKS(
        database.db().Get({}, database.families().records, log_rows::record_key(sequence), &bytes),
        fmt::format("read record number {}", sequence));
    return bytes;
}

// Each look-up asks memory first and the tables after it: what leaves memory in between is in the
// tables by then.

Result<Head> LogTables::head(const TenantId& tenant) const {
    BOS_USE_DATABASE();
    if (const auto head = tail_.head(tenant)) return *head;
    return IndexTables(database).head(tenant);
}

Result<std::string> LogTables::read(const TenantId& tenant, Position position) const {
    BOS_USE_DATABASE();
    std::optional<std::uint64_t> sequence = tail_.sequence(tenant, position);
    if (!sequence) {
        BOS_TRY(sequence, IndexTables(database).sequence(tenant, position));
    }
    if (!sequence) return fail(Code::not_found, at(tenant, position) + " is no record");
    std::string record;
    if (const auto in_memory = in_memory_alone(*sequence)) {
        record = in_memory->bytes;
    } else {
        const rocksdb::Status status = database.db().Get({}, database.families().records,
                                                         log_rows::record_key(*sequence), &record);
        if (status.IsNotFound()) return corrupt(at(tenant, position) + ": the record is missing");
        BOS_ROCKS(status, "read " + at(tenant, position));
    }
    VerifiedRecord::Room room;
    BOS_CHECK(link_at(tenant, position, record, room));
    return record;
}

namespace {

bool is_at(const rocksdb::Iterator& rows, const std::string& key) {
    return rows.Valid() && rows.key() == rocksdb::Slice(key);
}

/// Moves to a row that is expected soon after the current one: stepping over a few neighbours is
/// cheaper than a seek.
void move_to(rocksdb::Iterator& rows, const std::string& key) {
    for (int step = 0; step < steps_before_seek && rows.Valid(); ++step) {
        const int order = rows.key().compare(key);
        if (order == 0) return;
        if (order > 0) break;
        rows.Next();
    }
    if (!is_at(rows, key)) rows.Seek(key);
}

}  // namespace

Result<void> LogTables::scan(const TenantId& tenant, Position from, Position to,
                             const EventLog::Visit& visit) const {
    return scan_links(
        tenant, from, to,
        [&visit](Position at, const Link&, std::string_view record) { return visit(at, record); });
}

Result<void> LogTables::scan_links(const TenantId& tenant, Position from, Position to,
                                   const EventLog::VisitLink& visit) const {
    BOS_USE_DATABASE();
    from = std::max(from, Position{1});
    if (to < from) return {};
    const std::optional<IndexTail::Run> newest = tail_.run(tenant, from, to);
    rocksdb::ReadOptions read_records;
    if (to.value - from.value >= long_scan) {
        read_records.readahead_size = long_scan_readahead_bytes;
        read_records.fill_cache = false;
    }
    std::unique_ptr<rocksdb::Iterator> records;  // none while all are in memory
    const auto in_tables_at = [&](Position position,
                                  std::uint64_t sequence) -> Result<std::string_view> {
        const std::string key = log_rows::record_key(sequence);
        if (!records) records = database.iterate(read_records, database.families().records);
        move_to(*records, key);
        // Appended and moved to the tables after the iterator was made.
        if (!is_at(*records, key) && records->Refresh().ok()) records->Seek(key);
        BOS_ROCKS(records->status(), "read " + at(tenant, position));
        if (!is_at(*records, key)) {
            return corrupt(at(tenant, position) + ": the record is missing");
        }
        return records->value().ToStringView();
    };
    VerifiedRecord::Room room;
    Position expected = from;  // the next one
    const auto visit_record = [&](Position position, std::uint64_t sequence) -> Result<bool> {
        const auto in_memory = in_memory_alone(sequence);
        BOS_TRY(const std::string_view record,
                in_memory ? in_memory->bytes : in_tables_at(position, sequence));
        BOS_TRY(const Link link, link_at(tenant, position, record, room));
        expected = position.next();
        return visit(position, link, record);
    };

    bool more = true;
    const Position in_tables = newest ? Position{std::min(to.value, newest->first.value - 1)} : to;
    if (from <= in_tables) {
        BOS_CHECK(IndexTables(database).positions(
            tenant, from, in_tables,
            [&](Position position, std::uint64_t sequence) -> Result<bool> {
                BOS_TRY(more, visit_record(position, sequence));
                return more;
            }));
    }
    if (!more || !newest) return {};
    if (expected <= in_tables) return corrupt(at(tenant, expected) + ": the record is missing");
    for (const std::uint64_t sequence : newest->sequences) {
        BOS_TRY(more, visit_record(expected, sequence));
        if (!more) return {};
    }
    return {};
}

Result<std::vector<EventAddress>> LogTables::stream(const TenantId& tenant, const StreamId& stream,
                                                    Version from, std::size_t limit) const {
    BOS_USE_DATABASE();
    const auto in_memory = tail_.stream(tenant, stream, from, limit);
    BOS_TRY(auto in_tables, IndexTables(database).stream(tenant, stream, from, limit));
    return merged(std::move(in_tables), in_memory, limit);
}

Result<std::optional<Position>> LogTables::find_key(const TenantId& tenant,
                                                    std::string_view key) const {
    const Hash digest = sha256(key);
    BOS_USE_DATABASE();
    if (const auto position = tail_.find_key(tenant, digest)) return position;
    return IndexTables(database).find_key(tenant, digest);
}

Result<std::vector<TenantId>> LogTables::tenants() const {
    BOS_USE_DATABASE();
    std::set<TenantId> tenants;
    tail_.add_tenants(tenants);
    BOS_CHECK(IndexTables(database).add_tenants(tenants));
    return std::vector(tenants.begin(), tenants.end());
}

Result<void> LogTables::write(std::uint64_t end, std::span<const RecordView> records) {
    if (indexer_) indexer_->make_room();
    BOS_CHECK(tail_.wait_for_room());
    BOS_USE_DATABASE();
    rocksdb::WriteBatch batch;
    for (const RecordView& record : records) {
        BOS_ROCKS(batch.Put(database.families().records, log_rows::record_key(++end), record.bytes),
                  "build a batch");
    }
    rocksdb::WriteOptions options;
    options.sync = true;
    BOS_CHECK(database.write(options, batch));
    tail_.add_all(records);
    if (indexer_) indexer_->look();
    return {};
}

Result<void> LogTables::fill(std::span<const RecordView> records, std::span<const Origin> origins) {
    BOS_CHECK(tail_.wait_for_room());
    BOS_CHECK(records_.wait_for_room());
    std::vector<Position> ends;
    ends.reserve(origins.size());
    for (const Origin& origin : origins) {
        BOS_TRY(const Head end, head(*origin.tenant));
        ends.push_back(end.position);
    }
    records_.add(records, origins, ends);
    tail_.add_all(records);
    return {};
}

Result<void> LogTables::settle() { return records_.wait_until_all_written(); }

Result<std::optional<Offset>> LogTables::origin(const TenantId& tenant, Position position) const {
    BOS_USE_DATABASE();
    if (const auto offset = records_.offset_of(tenant, position)) return offset;
    return origin_of(database, tenant, position);
}

Result<std::optional<std::string>> LogTables::note(const std::string& key) const {
    BOS_USE_DATABASE();
    return note_of(database, key);
}

Result<void> LogTables::set_note(const std::string& key, const std::string& value) {
    BOS_USE_DATABASE();
    rocksdb::WriteBatch batch;
    BOS_ROCKS(batch.Put(database.families().notes, key, value), "build a batch");
    return database.write({}, batch);
}

}  // namespace bos::eventstore
