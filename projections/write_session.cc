#include "projections/write_session.h"

#include "projections/row_key.h"
#include "projections/tenant_meta.h"
#include "projections/view_database.h"
#include "schemas/base/assert.h"

#include <algorithm>
#include <array>
#include <utility>

namespace bos::projections {

namespace {

/// What an entry costs beyond its key and row: itself, its place in the map and in the order.
constexpr std::size_t entry_overhead_bytes = 256;

rocksdb::Slice slice_of(std::string_view view) { return {view.data(), view.size()}; }

}  // namespace

WriteSession::WriteSession(const ViewDatabase& database, const TenantId& tenant,
                           std::vector<Generation> generations, Role role, bool empty)
    : database_(&database),
      tenant_(tenant),
      generations_(std::move(generations)),
      role_(role),
      arena_(std::make_unique<std::pmr::monotonic_buffer_resource>()) {
    for (const Generation& generation : generations_) {
        auto rows = std::make_unique<Rows>();
        rows->prefix = row_prefix(tenant_, generation.view, generation.number);
        rows->all_cached = empty;
        rows_.push_back(std::move(rows));
    }
}

WriteSession::WriteSession(WriteSession&&) noexcept = default;
WriteSession::~WriteSession() = default;

void WriteSession::begin(Position position) {
    BOS_ASSERT(position > position_);
    end_commit();
    position_ = position;
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

WriteSession::Entry& WriteSession::find(Rows& rows, std::string_view key) {
    const auto found = rows.by_key.find(key);
    if (found != rows.by_key.end()) return *found->second;
    char* const bytes = static_cast<char*>(arena_->allocate(key.size() + 1, 1));
    std::copy(key.begin(), key.end(), bytes);
    Entry& entry = entries_.emplace_back();
    entry.key = {bytes, key.size()};
    rows.by_key.emplace(entry.key, &entry);
    if (rows.in_order) rows.in_order->insert(&entry);
    if (!rows.all_cached) load(rows, entry);
    cached_bytes_ += entry_overhead_bytes + key.size() + entry.now.row.size();
    return entry;
}

void WriteSession::load(const Rows& rows, Entry& entry) {
    std::string key;
    key.reserve(rows.prefix.size() + entry.key.size());
    key.append(rows.prefix).append(entry.key);
    rocksdb::PinnableSlice value;
    State state = State::live;
    rocksdb::Status status = database_->db().Get({}, database_->head(), key, &value);
    if (status.IsNotFound()) {
        value.Reset();
        state = State::deleted;
        status = database_->db().Get({}, database_->graves(), key, &value);
        if (status.IsNotFound()) return;
    }
    if (!status.ok()) return fail(error_of(status, "read a row"));
    const std::string_view bytes(value.data(), value.size());
    const std::size_t positions = state == State::live ? 1 : 2;
    if (bytes.size() < positions * position_bytes) {
        return fail(Error{Code::corrupt, "view store: a row is shorter than its position"});
    }
    entry.now = {state,
                 Position{read_be64(bytes)},
                 std::string(bytes.substr(positions * position_bytes)),
                 {}};
    if (state == State::deleted)
        entry.now.former = Position{read_be64(bytes.substr(position_bytes))};
    entry.stored = state;
}

void WriteSession::touch(Rows& rows, Entry& entry) {
    BOS_ASSERT(in_commit_ && !rows.scanning);
    if (entry.touched) return;
    entry.touched = true;
    entry.before = std::move(entry.now);
    touched_.push_back({&rows, &entry});
}

void WriteSession::put(Rows& rows, std::string_view key, std::string row) {
    Entry& entry = find(rows, key);
    touch(rows, entry);
    entry.now = {State::live, position_, std::move(row), {}};
}

void WriteSession::erase(Rows& rows, std::string_view key) {
    Entry& entry = find(rows, key);
    touch(rows, entry);
    entry.now = {State::deleted, position_, {}, {}};
}

std::optional<std::string_view> WriteSession::get(Rows& rows, std::string_view key) {
    const Entry& entry = find(rows, key);
    if (entry.now.state != State::live) return std::nullopt;
    return entry.now.row;
}

void WriteSession::scan(Rows& rows, std::string_view from, std::string_view to,
                        const VisitRow& visit) {
    if (!to.empty() && to <= from) return;
    if (!rows.in_order) {
        rows.in_order.emplace();
        for (const auto& [key, entry] : rows.by_key) rows.in_order->insert(entry);
    }
    auto cached = rows.in_order->lower_bound(from);
    const auto cached_end = to.empty() ? rows.in_order->end() : rows.in_order->lower_bound(to);

    const std::string lower = rows.prefix + std::string(from);
    const std::string upper =
        to.empty() ? after_prefix(rows.prefix) : rows.prefix + std::string(to);
    const rocksdb::Slice lower_bound = slice_of(lower);
    const rocksdb::Slice upper_bound = slice_of(upper);
    rocksdb::ReadOptions options;
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
                fail(Error{Code::corrupt, "view store: a row is shorter than its position"});
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
    entry.touched = false;
    const bool same_row = entry.now.state == State::live && entry.before.state == State::live &&
                          entry.now.row == entry.before.row;
    const bool nothing_deleted =
        entry.now.state == State::deleted && entry.before.state != State::live;
    if (same_row || nothing_deleted) {
        entry.now = std::move(entry.before);
        return;
    }
    cached_bytes_ += entry.now.row.size();
    cached_bytes_ -= std::min(cached_bytes_, entry.before.row.size());
    RowVersion before = std::exchange(entry.before, {});
    if (entry.now.state == State::deleted) {
        entry.now.former = before.position;
        entry.now.row = std::move(before.row);
    } else {
        remember(touched, std::move(before));
    }
    if (entry.dirty) return;
    entry.dirty = true;
    dirty_.push_back(touched);
    pending_bytes_ += touched.rows->prefix.size() + entry.key.size() + entry.now.row.size();
}

void WriteSession::remember(const Touched& touched, RowVersion version) {
    if (version.state == State::absent) return;
    if (version.state == State::deleted) {
        remember(touched, {State::live, version.former, std::move(version.row), {}});
        version.row.clear();
    }
    pending_bytes_ += touched.rows->prefix.size() + touched.entry->key.size() + version.row.size();
    replaced_.push_back({touched.rows, touched.entry, std::move(version)});
}

bool WriteSession::comes_before(const Rows& rows_a, const Entry& a, const Rows& rows_b,
                                const Entry& b) {
    return &rows_a == &rows_b ? a.key < b.key : rows_a.prefix < rows_b.prefix;
}

/// In the order of the keys: what a memtable looks at on its way to the place of a row is then in
/// the processor's cache, since it looked at most of it for the row before.
void WriteSession::add_newest_to_batch() {
    std::ranges::sort(dirty_, [](const Touched& a, const Touched& b) {
        return comes_before(*a.rows, *a.entry, *b.rows, *b.entry);
    });
    for (const Touched& dirty : dirty_) add_to_batch(dirty);
}

void WriteSession::add_history_to_batch() {
    std::ranges::sort(replaced_, [](const Replaced& a, const Replaced& b) {
        if (a.entry == b.entry) return a.version.position > b.version.position;
        return comes_before(*a.rows, *a.entry, *b.rows, *b.entry);
    });
    for (const Replaced& replaced : replaced_) add_to_batch(replaced);
}

// WriteBatch only fails on sizes that a row cannot have; the write reports what it did not take.

void WriteSession::add_to_batch(const Replaced& replaced) {
    const RowVersion& version = replaced.version;
    std::string suffix;
    append_history_suffix(suffix, version.position);
    const char kind = version.state == State::live ? history_row : history_deleted;
    const std::array<rocksdb::Slice, 3> key = {slice_of(replaced.rows->prefix),
                                               slice_of(replaced.entry->key), slice_of(suffix)};
    const std::array<rocksdb::Slice, 2> value = {rocksdb::Slice(&kind, 1), slice_of(version.row)};
    static_cast<void>(batch_.Put(database_->history(), rocksdb::SliceParts(key.data(), 3),
                                 rocksdb::SliceParts(value.data(), 2)));
}

void WriteSession::add_to_batch(const Touched& dirty) {
    const Entry& entry = *dirty.entry;
    std::string positions;
    append_be64(positions, entry.now.position.value);
    if (entry.now.state == State::deleted) append_be64(positions, entry.now.former.value);
    const std::array<rocksdb::Slice, 2> key_parts = {slice_of(dirty.rows->prefix),
                                                     slice_of(entry.key)};
    const std::array<rocksdb::Slice, 2> value_parts = {slice_of(positions),
                                                       slice_of(entry.now.row)};
    const rocksdb::SliceParts key(key_parts.data(), 2);
    const rocksdb::SliceParts value(value_parts.data(), 2);
    if (entry.now.state == State::live) {
        static_cast<void>(batch_.Put(database_->head(), key, value));
        if (entry.stored == State::deleted)
            static_cast<void>(batch_.Delete(database_->graves(), key));
    } else {
        static_cast<void>(batch_.Put(database_->graves(), key, value));
        if (entry.stored == State::live) static_cast<void>(batch_.Delete(database_->head(), key));
    }
}

Result<void> WriteSession::finish() {
    end_commit();
    if (error_) return std::unexpected(*error_);
    add_newest_to_batch();
    add_history_to_batch();
    if (role_ == Role::live) {
        const rocksdb::Status status = batch_.Put(database_->meta(), meta::applied_key(tenant_),
                                                  meta::position_value(position_));
        if (!status.ok()) fail(error_of(status, "note the position"));
    }
    if (auto written = database_->write(batch_); !written) fail(written.error());
    if (error_) return std::unexpected(*error_);
    for (const Touched& dirty : dirty_) {
        dirty.entry->dirty = false;
        dirty.entry->stored = dirty.entry->now.state;
    }
    dirty_.clear();
    replaced_.clear();
    batch_.Clear();
    pending_bytes_ = 0;
    return {};
}

void WriteSession::drop_cache() {
    BOS_ASSERT(touched_.empty() && dirty_.empty() && replaced_.empty());
    for (const std::unique_ptr<Rows>& rows : rows_) {
        rows->by_key.clear();
        rows->in_order.reset();
        rows->all_cached = false;
    }
    entries_.clear();
    arena_->release();
    cached_bytes_ = 0;
}

}  // namespace bos::projections
