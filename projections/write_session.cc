#include "projections/write_session.h"

#include "projections/key_order.h"
#include "projections/row_batch.h"
#include "projections/row_files.h"
#include "projections/row_key.h"
#include "projections/slices.h"
#include "projections/tenant_meta.h"
#include "projections/view_database.h"
#include "schemas/base/assert.h"

#include <algorithm>
#include <utility>

namespace bos::projections {

namespace {

// Rows are written in another order than they stand in memory: so far ahead they are asked for.
constexpr std::size_t rows_ahead = 8;

}  // namespace

WriteSession::WriteSession(const ViewDatabase& database, const TenantId& tenant,
                           std::vector<Generation> generations, Role role, bool empty)
    : database_(&database),
      tenant_(tenant),
      generations_(std::move(generations)),
      role_(role),
      only_files_yet_(role == Role::building) {
    for (const Generation& generation : generations_) {
        auto rows = std::make_unique<Rows>();
        rows->prefix = row_prefix(tenant_, generation.view, generation.number);
        rows->all_cached = empty;
        rows_.push_back(std::move(rows));
    }
}

WriteSession::WriteSession(WriteSession&&) noexcept = default;
WriteSession::~WriteSession() = default;

void WriteSession::begin(Position position, std::vector<Uuid> begun) {
    BOS_ASSERT(position > position_);
    end_commit();
    position_ = position;
    begun_ = std::move(begun);
    in_commit_ = true;
}

ViewWriter WriteSession::writer(std::uint16_t view) {
    const auto found = std::ranges::find(generations_, view, &Generation::view);
    BOS_ASSERT(found != generations_.end());
    return {*this, *rows_[static_cast<std::size_t>(found - generations_.begin())]};
}

void WriteSession::fail(Error error) {
    if (!error_) error_ = std::move(error);
}

WriteSession::Entry& WriteSession::find(Rows& rows, std::string_view key, Past past) {
    const HashedKey hashed{KeyHash{}(key), key};
    const auto found = rows.by_key.find(hashed);
    if (found != rows.by_key.end()) {
        BOS_ASSERT(found->entry->past == past);
        return *found->entry;
    }
    Entry& entry = arena_.make<Entry>();
    entry.key = arena_.copy(key);  // beside it
    entry.past = past;
    rows.by_key.insert(Place{hashed.hash, &entry});
    ++entries_;
    if (rows.in_order) rows.in_order->insert(&entry);
    if (!rows.all_cached && !is_of_begun_stream(key)) load(rows, entry);
    return entry;
}

bool WriteSession::is_of_begun_stream(std::string_view key) const {
    return std::ranges::any_of(begun_, [&](const Uuid& id) {
        return key.ends_with({reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
    });
}

void WriteSession::load(const Rows& rows, Entry& entry) {
    std::string key;
    key.reserve(rows.prefix.size() + entry.key.size());
    key.append(rows.prefix).append(entry.key);
    rocksdb::PinnableSlice value;
    State state = State::live;
    const rocksdb::ReadOptions options = rows_at(nullptr);
    rocksdb::Status status = database_->db().Get(options, database_->head(), key, &value);
    if (status.IsNotFound()) {
        if (entry.past == Past::none) return;
        value.Reset();
        state = State::deleted;
        status = database_->db().Get(options, database_->graves(), key, &value);
        if (status.IsNotFound()) return;
    }
    if (!status.ok()) return fail(error_of(status, "read a row"));
    const std::string_view bytes(value.data(), value.size());
    const std::size_t positions = state == State::live ? 1 : 2;
    if (bytes.size() < positions * position_bytes) {
        return fail(corrupt_row());
    }
    entry.now = {.state = state,
                 .position = Position{read_be64(bytes)},
                 .row = arena_.copy(bytes.substr(positions * position_bytes))};
    if (state == State::deleted)
        entry.now.former = Position{read_be64(bytes.substr(position_bytes))};
    entry.stored = state;
}

void WriteSession::touch(Rows& rows, Entry& entry) {
    BOS_ASSERT(in_commit_ && !rows.scanning);
    if (entry.touched) return;
    entry.touched = true;
    touched_.push_back({&rows, &entry, entry.now});
}

void WriteSession::put(Rows& rows, std::string_view key, std::string_view row, Past past) {
    Entry& entry = find(rows, key, past);
    if (entry.now.state == State::live && entry.now.row == row) return;
    touch(rows, entry);
    entry.now = {.state = State::live, .position = position_, .row = arena_.copy(row)};
}

void WriteSession::erase(Rows& rows, std::string_view key, Past past) {
    Entry& entry = find(rows, key, past);
    if (entry.now.state != State::live) return;
    touch(rows, entry);
    const State gone = past == Past::kept ? State::deleted : State::absent;
    entry.now = {.state = gone, .position = position_};
}

std::optional<std::string_view> WriteSession::get(Rows& rows, std::string_view key, Past past) {
    const Entry& entry = find(rows, key, past);
    if (entry.now.state != State::live) return std::nullopt;
    return entry.now.row;
}

void WriteSession::scan(Rows& rows, std::string_view from, std::string_view to,
                        const VisitRow& visit) {
    if (!to.empty() && to <= from) return;
    if (!rows.in_order) {
        rows.in_order.emplace();
        for (const Place& place : rows.by_key) rows.in_order->insert(place.entry);
    }
    auto cached = rows.in_order->lower_bound(from);
    const auto cached_end = to.empty() ? rows.in_order->end() : rows.in_order->lower_bound(to);

    const std::string lower = rows.prefix + std::string(from);
    const std::string upper =
        to.empty() ? after_prefix(rows.prefix) : rows.prefix + std::string(to);
    const rocksdb::Slice lower_bound = slice_of(lower);
    const rocksdb::Slice upper_bound = slice_of(upper);
    rocksdb::ReadOptions options = rows_at(nullptr);
    options.iterate_lower_bound = &lower_bound;
    options.iterate_upper_bound = &upper_bound;
    std::unique_ptr<rocksdb::Iterator> stored;
    if (!rows.all_cached) {
        stored.reset(database_->db().NewIterator(options, database_->head()));
        stored->SeekToFirst();
    }
    const auto stored_key = [&] {
        return std::string_view(stored->key().data(), stored->key().size())
            .substr(rows.prefix.size());
    };

    rows.scanning = true;
    for (bool wants_more = true; wants_more;) {
        const bool in_cache = cached != cached_end;
        const bool in_store = stored && stored->Valid();
        if (!in_cache && !in_store) break;
        if (in_store && (!in_cache || stored_key() < (*cached)->key)) {
            const std::string_view value(stored->value().data(), stored->value().size());
            if (value.size() < position_bytes) {
                fail(corrupt_row());
                break;
            }
            wants_more = visit(stored_key(), value.substr(position_bytes));
            stored->Next();
            continue;
        }
        if (in_store && stored_key() == (*cached)->key) stored->Next();
        if ((*cached)->now.state == State::live)
            wants_more = visit((*cached)->key, (*cached)->now.row);
        ++cached;
    }
    rows.scanning = false;
    if (stored && !stored->status().ok()) fail(error_of(stored->status(), "scan"));
}

void WriteSession::end_commit() {
    for (const Touched& touched : touched_) settle(touched);
    touched_.clear();
    in_commit_ = false;
}

/// Decides what the commit did to the row, whatever it wrote on the way.
void WriteSession::settle(const Touched& touched) {
    Entry& entry = *touched.entry;
    const RowVersion& before = touched.before;
    entry.touched = false;
    const bool same_row = entry.now.state == State::live && before.state == State::live &&
                          entry.now.row == before.row;
    const bool nothing_deleted = entry.now.state != State::live && before.state != State::live;
    if (same_row || nothing_deleted) {
        entry.now = before;
        return;
    }
    if (entry.now.state == State::deleted) {
        entry.now.former = before.position;
        entry.now.row = before.row;
    } else if (entry.past == Past::kept) {
        remember(touched, before);
    }
    if (entry.dirty) return;
    entry.dirty = true;
    touched.rows->dirty.push_back(&entry);
    pending_bytes_ += touched.rows->prefix.size() + entry.key.size() + entry.now.row.size();
}

void WriteSession::remember(const Touched& touched, RowVersion version) {
    if (version.state == State::absent) return;
    if (version.state == State::deleted) {
        remember(touched, {.state = State::live, .position = version.former, .row = version.row});
        version.row = {};
    }
    Entry& entry = *touched.entry;
    pending_bytes_ += touched.rows->prefix.size() + entry.key.size() + version.row.size();
    entry.replaced = &arena_.make<Replaced>(version, entry.replaced);
}

Result<void> WriteSession::write_newest(const Entry& entry, std::string& key, RowDestination& to) {
    if (entry.now.state == State::absent)
        return entry.stored == State::live ? to.erase(database_->head(), key) : Result<void>();
    value_.clear();
    append_be64(value_, (entry.past == Past::kept ? entry.now.position : of_now).value);
    if (entry.now.state == State::live) {
        value_.append(entry.now.row);
        BOS_CHECK(to.put(database_->head(), key, value_));
        return entry.stored == State::deleted ? to.erase(database_->graves(), key) : Result<void>();
    }
    append_be64(value_, entry.now.former.value);
    value_.append(entry.now.row);
    BOS_CHECK(to.put(database_->graves(), key, value_));
    return entry.stored == State::live ? to.erase(database_->head(), key) : Result<void>();
}

Result<void> WriteSession::write_replaced(const Entry& entry, std::string& key,
                                          RowDestination& to) {
    const std::size_t row_key_size = key.size();
    for (const Replaced* replaced = entry.replaced; replaced; replaced = replaced->before) {
        const RowVersion& version = replaced->version;
        key.resize(row_key_size);
        append_history_suffix(key, version.position);
        value_.assign(1, version.state == State::live ? history_row : history_deleted);
        value_.append(version.row);
        BOS_CHECK(to.put(database_->history(), key, value_));
    }
    return {};
}

/// In the order of the keys: files have no other, and what a memtable looks at on its way to the
/// place of a row is then in the processor's cache, since it looked at most of it for the row
/// before.
Result<void> WriteSession::write_rows(RowDestination& to) {
    std::string key;
    for (const std::unique_ptr<Rows>& rows : rows_) {
        sort_by_key(rows->dirty);
        for (std::size_t i = 0; i < rows->dirty.size(); ++i) {
            if (i + 2 * rows_ahead < rows->dirty.size())
                __builtin_prefetch(rows->dirty[i + 2 * rows_ahead]);
            if (i + rows_ahead < rows->dirty.size()) {
                const Entry& soon = *rows->dirty[i + rows_ahead];
                __builtin_prefetch(soon.now.row.data());
                __builtin_prefetch(soon.replaced);
            }
            const Entry& entry = *rows->dirty[i];
            key.assign(rows->prefix).append(entry.key);
            BOS_CHECK(write_newest(entry, key, to));
            BOS_CHECK(write_replaced(entry, key, to));
        }
        BOS_CHECK(to.end_range());
    }
    return {};
}

Result<void> WriteSession::write_all() {
    std::optional<ViewChanges::Change> change;
    if (role_ == Role::live) change.emplace(database_->changes(), tenant_);
    if (only_files_yet_ && pending_bytes_ >= database_->file_bytes_min()) {
        RowFiles files(*database_);
        BOS_CHECK(write_rows(files));
        return files.commit();
    }
    RowBatch batch(*database_);
    BOS_CHECK(write_rows(batch));
    if (role_ == Role::live) {
        BOS_CHECK(batch.put(database_->meta(), meta::applied_key(tenant_),
                            meta::position_value(position_)));
    }
    if (pending_bytes_ > 0) only_files_yet_ = false;
    return batch.commit();
}

Result<void> WriteSession::finish() {
    end_commit();
    if (!error_) {
        if (auto written = write_all(); !written) fail(written.error());
    }
    if (error_) return std::unexpected(*error_);
    for (const std::unique_ptr<Rows>& rows : rows_) {
        for (Entry* const entry : rows->dirty) {
            entry->dirty = false;
            entry->stored = entry->now.state;
            entry->replaced = nullptr;
        }
        rows->dirty.clear();
    }
    pending_bytes_ = 0;
    return {};
}

void WriteSession::drop_cache() {
    BOS_ASSERT(touched_.empty() && pending_bytes_ == 0);
    for (const std::unique_ptr<Rows>& rows : rows_) {
        rows->by_key.clear();
        rows->in_order.reset();
        rows->all_cached = false;
    }
    arena_.clear();
    entries_ = 0;
}

}  // namespace bos::projections
