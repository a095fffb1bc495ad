#include "projections/view_store.h"

#include "projections/row_key.h"
#include "projections/slices.h"
#include "projections/tenant_meta.h"
#include "projections/view_database.h"
#include "schemas/base/digest.h"

#include <rocksdb/options.h>

namespace bos::projections {

namespace {

std::array<rocksdb::ColumnFamilyHandle*, 3> families_of_rows(const ViewDatabase& database) {
    return {database.head(), database.graves(), database.history()};
}

/// One range tombstone per family: a generation's number is never used again, so it covers nothing
/// that is still wanted, and compactions take it away with the rows.
void drop_rows(const ViewDatabase& database, std::string_view prefix, rocksdb::WriteBatch& batch) {
    const std::string begin(prefix);
    const std::string end = after_prefix(prefix);
    for (rocksdb::ColumnFamilyHandle* family : families_of_rows(database)) {
        static_cast<void>(
            batch.DeleteRange(family, begin, end));  // the write reports what it did not take
    }
}

/// Visits what is noted about a tenant (tenant_meta.h): `visit(key, value)`, keys with the tenant's
/// prefix.
template <class Visit>
Result<void> for_each_note(const ViewDatabase& database, std::string_view prefix,
                           const Visit& visit) {
    const std::string end = after_prefix(prefix);
    const rocksdb::Slice upper(end);
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &upper;
    const std::unique_ptr<rocksdb::Iterator> notes(
        database.db().NewIterator(options, database.meta()));
    for (notes->Seek(slice_of(prefix)); notes->Valid(); notes->Next())
        visit(view_of(notes->key()), view_of(notes->value()));
    if (!notes->status().ok())
        return std::unexpected(error_of(notes->status(), "read the notes about a tenant"));
    return {};
}

/// Leaves the number of the newest generation: readers look past tombstones, and the rows may still
/// be in the files when the tenant's next generation is made.
Result<void> drop_notes(const ViewDatabase& database, const TenantId& tenant,
                        rocksdb::WriteBatch& batch) {
    const std::string prefix = KeyWriter().text(tenant.value()).take();
    const std::string kept = meta::newest_generation_key(tenant);
    return for_each_note(database, prefix, [&](std::string_view key, std::string_view) {
        if (key != kept) static_cast<void>(batch.Delete(database.meta(), slice_of(key)));
    });
}

Result<TenantViews> read_views(const ViewDatabase& database, const TenantId& tenant) {
    const std::string prefix = KeyWriter().text(tenant.value()).take();
    TenantViews views;
    bool sound = true;
    BOS_CHECK(for_each_note(database, prefix, [&](std::string_view note, std::string_view value) {
        KeyReader key(note.substr(prefix.size()));
        std::uint8_t kind = 0;
        sound = sound && key.u8(kind);
        if (kind == 'a') sound = sound && meta::read_position(value, views.applied);
        if (kind != 'v' && kind != 'w') return;
        Generation generation;
        sound = sound && key.u16(generation.view) && meta::read_generation(value, generation);
        (kind == 'v' ? views.live : views.building).push_back(generation);
    }));
    if (!sound) return fail(Code::corrupt, "view store: damaged notes about " + tenant.value());
    return views;
}

/// Text of one row for the hash: lengths keep (ab, c) and (a, bc) apart.
void add_to_hash(Sha256& hash, std::uint8_t family, std::string_view key, std::string_view value) {
    hash.update(KeyWriter().u8(family).u32(static_cast<std::uint32_t>(key.size())).bytes());
    hash.update(key);
    hash.update(KeyWriter().u32(static_cast<std::uint32_t>(value.size())).bytes());
    hash.update(value);
}

}  // namespace

ViewStore::ViewStore(std::unique_ptr<ViewDatabase> database) : database_(std::move(database)) {}
ViewStore::~ViewStore() = default;

Result<std::unique_ptr<ViewStore>> ViewStore::open(const ViewStoreOptions& options) {
    auto database = ViewDatabase::open(options);
    if (!database && database.error().code == Code::corrupt &&
        options.on_corruption == OnCorruption::start_empty) {
        BOS_CHECK(ViewDatabase::remove(options));
        database = ViewDatabase::open(options);
    }
    if (!database) return std::unexpected(std::move(database).error());
    return std::unique_ptr<ViewStore>(new ViewStore(*std::move(database)));
}

Result<TenantViews> ViewStore::views(const TenantId& tenant) const {
    return read_views(*database_, tenant);
}

std::optional<std::uint64_t> ViewStore::settled(const TenantId& tenant) const {
    return database_->changes().settled(tenant);
}

Result<ViewReader> ViewStore::read(const TenantId& tenant) const {
    ViewReader reader(*database_, tenant);
    BOS_CHECK(reader.find_position(std::nullopt));
    return reader;
}

Result<ViewReader> ViewStore::read_as_of(const TenantId& tenant, Position as_of) const {
    ViewReader reader(*database_, tenant);
    BOS_CHECK(reader.find_position(as_of));
    return reader;
}

Result<WriteSession> ViewStore::write(const TenantId& tenant) {
    BOS_TRY(TenantViews known, views(tenant));
    WriteSession session(*database_, tenant, std::move(known.live), WriteSession::Role::live,
                         known.applied == Position{0});
    session.position_ = known.applied;
    return session;
}

Result<Generation> ViewStore::start_building(const TenantId& tenant, std::uint16_t view,
                                             std::uint32_t version) {
    const std::string newest_key = meta::newest_generation_key(tenant);
    std::string newest;
    std::uint32_t number = 0;
    const rocksdb::Status status = database_->db().Get({}, database_->meta(), newest_key, &newest);
    if (!status.ok() && !status.IsNotFound()) {
        return std::unexpected(error_of(status, "number a generation"));
    }
    if (status.ok() && !KeyReader(newest).u32(number)) {
        return fail(Code::corrupt, "view store: damaged generation number of " + tenant.value());
    }
    BOS_TRY(const TenantViews known, views(tenant));
    rocksdb::WriteBatch batch;
    for (const Generation& unfinished : known.building) {
        if (unfinished.view == view) {
            drop_rows(*database_, row_prefix(tenant, view, unfinished.number), batch);
        }
    }
    const Generation generation{view, version, number + 1};
    static_cast<void>(
        batch.Put(database_->meta(), newest_key, KeyWriter().u32(generation.number).bytes()));
    static_cast<void>(batch.Put(database_->meta(), meta::building_key(tenant, view),
                                meta::generation_value(generation)));
    BOS_CHECK(database_->write(batch));
    return generation;
}

WriteSession ViewStore::write_to(const TenantId& tenant, std::vector<Generation> building) {
    return {*database_, tenant, std::move(building), WriteSession::Role::building, true};
}

Result<void> ViewStore::go_live(const TenantId& tenant, std::span<const Generation> built,
                                Position applied) {
    BOS_TRY(const TenantViews known, views(tenant));
    rocksdb::WriteBatch batch;
    for (const Generation& generation : built) {
        for (const Generation& old : known.live) {
            if (old.view != generation.view) continue;
            drop_rows(*database_, row_prefix(tenant, old.view, old.number), batch);
        }
        static_cast<void>(batch.Put(database_->meta(), meta::live_key(tenant, generation.view),
                                    meta::generation_value(generation)));
        static_cast<void>(
            batch.Delete(database_->meta(), meta::building_key(tenant, generation.view)));
    }
    static_cast<void>(
        batch.Put(database_->meta(), meta::applied_key(tenant), meta::position_value(applied)));
    const ViewChanges::Change change(database_->changes(), tenant);
    return database_->write(batch);
}

Result<void> ViewStore::clear(const TenantId& tenant, std::uint16_t view) {
    BOS_TRY(const TenantViews known, views(tenant));
    rocksdb::WriteBatch batch;
    // Not of the whole view: a tombstone in the way of generations to come would make files that
    // are taken in wait for the memtable.
    for (const std::vector<Generation>* generations : {&known.live, &known.building}) {
        for (const Generation& generation : *generations) {
            if (generation.view != view) continue;
            drop_rows(*database_, row_prefix(tenant, view, generation.number), batch);
        }
    }
    static_cast<void>(batch.Delete(database_->meta(), meta::live_key(tenant, view)));
    static_cast<void>(batch.Delete(database_->meta(), meta::building_key(tenant, view)));
    const ViewChanges::Change change(database_->changes(), tenant);
    return database_->write(batch);
}

Result<void> ViewStore::drop_unfinished(const TenantId& tenant) {
    BOS_TRY(const TenantViews known, views(tenant));
    if (known.building.empty()) return {};
    rocksdb::WriteBatch batch;
    for (const Generation& unfinished : known.building) {
        drop_rows(*database_, row_prefix(tenant, unfinished.view, unfinished.number), batch);
        static_cast<void>(
            batch.Delete(database_->meta(), meta::building_key(tenant, unfinished.view)));
    }
    return database_->write(batch);
}

Result<void> ViewStore::forget(const TenantId& tenant) {
    const std::string begin = KeyWriter().text(tenant.value()).take();
    const std::string end = after_prefix(begin);
    rocksdb::WriteBatch batch;
    drop_rows(*database_, begin, batch);
    BOS_CHECK(drop_notes(*database_, tenant, batch));
    const ViewChanges::Change change(database_->changes(), tenant);
    BOS_CHECK(database_->write(batch));

    const std::vector<rocksdb::ColumnFamilyHandle*> families = {
        database_->head(), database_->graves(), database_->history(), database_->meta()};
    const rocksdb::Status flushed = database_->db().Flush(rocksdb::FlushOptions(), families);
    if (!flushed.ok()) return std::unexpected(error_of(flushed, "flush"));
    const rocksdb::Slice from(begin);
    const rocksdb::Slice to(end);
    rocksdb::CompactRangeOptions options;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
    for (rocksdb::ColumnFamilyHandle* family : families) {
        const rocksdb::Status compacted = database_->db().CompactRange(options, family, &from, &to);
        if (!compacted.ok()) return std::unexpected(error_of(compacted, "compact"));
    }
    return {};
}

Result<Hash> ViewStore::hash(const TenantId& tenant, std::uint16_t view) const {
    BOS_TRY(const ViewReader reader, read(tenant));
    BOS_TRY(const std::string_view prefix, reader.prefix_of(view));
    const std::string end = after_prefix(prefix);
    const rocksdb::Slice upper(end);
    rocksdb::ReadOptions options = rows_at(reader.snapshot_.get());
    options.iterate_upper_bound = &upper;
    options.total_order_seek = true;
    options.fill_cache = false;
    Sha256 hash;
    std::uint8_t number = 0;
    for (rocksdb::ColumnFamilyHandle* family : families_of_rows(*database_)) {
        const std::unique_ptr<rocksdb::Iterator> rows(database_->db().NewIterator(options, family));
        for (rows->Seek(rocksdb::Slice(prefix.data(), prefix.size())); rows->Valid();
             rows->Next()) {
            add_to_hash(hash, number, view_of(rows->key()).substr(prefix.size()),
                        view_of(rows->value()));
        }
        if (!rows->status().ok()) return std::unexpected(error_of(rows->status(), "hash a view"));
        ++number;
    }
    return hash.finish();
}

}  // namespace bos::projections
