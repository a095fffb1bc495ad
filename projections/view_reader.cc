#include "projections/view_reader.h"

#include "projections/row_key.h"
#include "projections/tenant_meta.h"
#include "projections/view_database.h"

#include <fmt/format.h>

namespace bos::projections {

namespace {

rocksdb::ReadOptions at(const rocksdb::Snapshot* snapshot) {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot;
    return options;
}

std::string_view view_of(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }
rocksdb::Slice slice_of(std::string_view view) { return {view.data(), view.size()}; }

Error corrupt_row() {
    return Error{Code::corrupt, "view store: a row is shorter than its position"};
}

/// The rows of one column family inside a range, in one direction.
class Walk {
  public:
    Walk(const ViewDatabase& database, rocksdb::ColumnFamilyHandle* family,
         const rocksdb::Snapshot* snapshot, std::string_view lower, std::string_view upper,
         Direction direction)
        : lower_(slice_of(lower)),
          upper_(slice_of(upper)),
          forward_(direction == Direction::forward) {
        rocksdb::ReadOptions options = rows_at(snapshot);
        options.iterate_lower_bound = &lower_;
        options.iterate_upper_bound = &upper_;
        iterator_.reset(database.db().NewIterator(options, family));
        forward_ ? iterator_->SeekToFirst() : iterator_->SeekToLast();
    }
    Walk(const Walk&) = delete;
    Walk& operator=(const Walk&) = delete;

    [[nodiscard]] bool valid() const { return iterator_->Valid(); }
    [[nodiscard]] rocksdb::Status status() const { return iterator_->status(); }
    [[nodiscard]] std::string_view key() const { return view_of(iterator_->key()); }
    [[nodiscard]] std::string_view value() const { return view_of(iterator_->value()); }
    void next() { forward_ ? iterator_->Next() : iterator_->Prev(); }

  private:
    rocksdb::Slice lower_;
    rocksdb::Slice upper_;
    bool forward_;
    std::unique_ptr<rocksdb::Iterator> iterator_;
};

/// Keys between which the history has nothing. A scan of the past may meet very many rows that came
/// later and were never replaced, as index entries of a list by time are: one seek tells it of all
/// that lie side by side.
class Gap {
  public:
    Gap(const ViewDatabase& database, const rocksdb::Snapshot* snapshot)
        : database_(database), snapshot_(snapshot) {}

    [[nodiscard]] bool has(std::string_view row_key) const {
        if (!known_ || row_key <= low_) return false;
        return high_.empty() || (row_key < high_ && !std::string_view(high_).starts_with(row_key));
    }

    /// After a look for a version of `row_key` in vain.
    [[nodiscard]] Result<void> note(std::string_view row_key) {
        known_ = false;
        if (!history_) history_ = in_order();
        history_->Seek(slice_of(row_key));
        high_ = history_->Valid() ? view_of(history_->key()) : std::string_view();
        BOS_CHECK(sound());
        low_.clear();
        history_->Valid() ? history_->Prev() : history_->SeekToLast();
        BOS_CHECK(sound());
        if (history_->Valid()) low_ = view_of(history_->key());
        known_ = true;
        return {};
    }

  private:
    /// That which looks for versions of one row skips files whose filters do not know the row: what
    /// comes next in it need not be what comes next.
    [[nodiscard]] std::unique_ptr<rocksdb::Iterator> in_order() const {
        rocksdb::ReadOptions options = rows_at(snapshot_);
        options.total_order_seek = true;
        return std::unique_ptr<rocksdb::Iterator>(
            database_.db().NewIterator(options, database_.history()));
    }
    /// An iterator that fails looks like one that has come to its end.
    [[nodiscard]] Result<void> sound() const {
        if (history_->status().ok()) return {};
        return std::unexpected(error_of(history_->status(), "look back"));
    }

    const ViewDatabase& database_;
    const rocksdb::Snapshot* snapshot_;
    std::unique_ptr<rocksdb::Iterator> history_;
    bool known_ = false;
    std::string low_;   ///< a key, or empty: the beginning
    std::string high_;  ///< the key after it, or empty: the end
};

struct Bounds {
    std::string lower;
    std::string upper;
};

Bounds bounds_of(std::string_view prefix, std::string_view from, std::string_view to) {
    Bounds bounds{std::string(prefix), {}};
    bounds.lower.append(from);
    if (to.empty()) {
        bounds.upper = after_prefix(prefix);
    } else {
        bounds.upper.append(prefix).append(to);
    }
    return bounds;
}

}  // namespace

ViewReader::ViewReader(const ViewDatabase& database, const TenantId& tenant)
    : ViewReader(database, tenant,
                 {database.db().GetSnapshot(), [&database](const rocksdb::Snapshot* snapshot) {
                      database.db().ReleaseSnapshot(snapshot);
                  }}) {}

ViewReader::ViewReader(const ViewDatabase& database, const TenantId& tenant,
                       std::shared_ptr<const rocksdb::Snapshot> snapshot)
    : database_(&database), tenant_(tenant), snapshot_(std::move(snapshot)) {}

ViewReader::ViewReader(ViewReader&&) noexcept = default;
ViewReader& ViewReader::operator=(ViewReader&&) noexcept = default;
ViewReader::~ViewReader() = default;

Result<ViewReader> ViewReader::today() const {
    ViewReader reader(*database_, tenant_, snapshot_);
    BOS_CHECK(reader.find_position(std::nullopt));
    return reader;
}

Result<void> ViewReader::find_position(std::optional<Position> as_of) {
    std::string value;
    const rocksdb::Status status = database_->db().Get(at(snapshot_.get()), database_->meta(),
                                                       meta::applied_key(tenant_), &value);
    if (!status.ok() && !status.IsNotFound()) {
        return std::unexpected(error_of(status, "read the applied position"));
    }
    if (status.ok() && !meta::read_position(value, position_))
        return std::unexpected(corrupt_row());
    applied_ = position_;
    if (!as_of) return {};
    if (*as_of > position_) {
        return fail(Code::unavailable,
                    fmt::format("the views of {} are at position {}, not yet at {}",
                                tenant_.value(), position_.value, as_of->value));
    }
    at_head_ = false;
    position_ = *as_of;
    return {};
}

Result<std::string_view> ViewReader::prefix_of(std::uint16_t view) const {
    for (const OpenView& open : open_views_) {
        if (open.view == view) return open.prefix;
    }
    std::string value;
    const rocksdb::Status status = database_->db().Get(at(snapshot_.get()), database_->meta(),
                                                       meta::live_key(tenant_, view), &value);
    if (status.IsNotFound()) {
        return fail(Code::unavailable,
                    fmt::format("view {} of {} has not been built", view, tenant_.value()));
    }
    if (!status.ok()) return std::unexpected(error_of(status, "find a view"));
    Generation generation;
    if (!meta::read_generation(value, generation)) return std::unexpected(corrupt_row());
    open_views_.reserve(8);
    open_views_.push_back({view, row_prefix(tenant_, view, generation.number)});
    return open_views_.back().prefix;
}

Result<bool> ViewReader::get(std::uint16_t view, std::string_view key, std::string& row) const {
    BOS_TRY(const std::string_view prefix, prefix_of(view));
    std::string head_key;
    head_key.reserve(prefix.size() + key.size() + position_bytes);
    head_key.append(prefix).append(key);

    rocksdb::PinnableSlice value;
    const rocksdb::ReadOptions options = rows_at(snapshot_.get());
    rocksdb::Status status = database_->db().Get(options, database_->head(), head_key, &value);
    if (status.ok()) {
        if (value.size() < position_bytes) return std::unexpected(corrupt_row());
        const Position written{read_be64(view_of(value))};
        if (at_head_ || is_current(written)) {
            row.assign(value.data() + position_bytes, value.size() - position_bytes);
            return true;
        }
        if (written == of_now) return false;
        return older_version(head_key, row);
    }
    if (!status.IsNotFound()) return std::unexpected(error_of(status, "read a row"));
    if (at_head_) return false;

    value.Reset();
    status = database_->db().Get(options, database_->graves(), head_key, &value);
    if (status.IsNotFound()) return false;
    if (!status.ok()) return std::unexpected(error_of(status, "read a deletion"));
    return buried_version(head_key, view_of(value), row);
}

Result<bool> ViewReader::buried_version(std::string_view head_key, std::string_view grave,
                                        std::string& row) const {
    if (grave.size() < 2 * position_bytes) return std::unexpected(corrupt_row());
    if (is_current(Position{read_be64(grave)})) return false;
    if (!is_current(Position{read_be64(grave.substr(position_bytes))}))
        return older_version(head_key, row);
    row.assign(grave.substr(2 * position_bytes));
    return true;
}

Result<bool> ViewReader::older_version(std::string_view head_key, std::string& row) const {
    if (!history_) {
        history_.reset(database_->db().NewIterator(rows_at(snapshot_.get()), database_->history()));
    }
    key_.assign(head_key);
    append_history_suffix(key_, position_);
    history_->Seek(key_);
    if (!history_->Valid()) {
        if (!history_->status().ok())
            return std::unexpected(error_of(history_->status(), "look back"));
        return false;
    }
    // Row keys of a view are prefix-free, so a key of this length with this start is a version of
    // this row.
    const std::string_view found = view_of(history_->key());
    if (found.size() != key_.size() || !found.starts_with(head_key)) return false;
    const std::string_view value = view_of(history_->value());
    if (value.empty()) return std::unexpected(corrupt_row());
    if (value.front() == history_deleted) return false;
    row.assign(value.substr(1));
    return true;
}

Result<void> ViewReader::scan(std::uint16_t view, std::string_view from, std::string_view to,
                              Direction direction, const VisitRow& visit) const {
    BOS_TRY(const std::string_view prefix, prefix_of(view));
    if (!to.empty() && to <= from) return {};
    return at_head_ ? scan_head(prefix, from, to, direction, visit)
                    : scan_as_of(prefix, from, to, direction, visit);
}

Result<void> ViewReader::scan_prefix(std::uint16_t view, std::string_view prefix,
                                     const VisitRow& visit) const {
    return scan(view, prefix, after_prefix(prefix), Direction::forward, visit);
}

Result<void> ViewReader::scan_head(std::string_view prefix, std::string_view from,
                                   std::string_view to, Direction direction,
                                   const VisitRow& visit) const {
    const Bounds bounds = bounds_of(prefix, from, to);
    const std::size_t prefix_size = prefix.size();  // `visit` may open another view
    Walk rows(*database_, database_->head(), snapshot_.get(), bounds.lower, bounds.upper,
              direction);
    for (; rows.valid(); rows.next()) {
        const std::string_view value = rows.value();
        if (value.size() < position_bytes) return std::unexpected(corrupt_row());
        if (!visit(rows.key().substr(prefix_size), value.substr(position_bytes))) return {};
    }
    if (!rows.status().ok()) return std::unexpected(error_of(rows.status(), "scan"));
    return {};
}

Result<void> ViewReader::scan_as_of(std::string_view prefix, std::string_view from,
                                    std::string_view to, Direction direction,
                                    const VisitRow& visit) const {
    const Bounds bounds = bounds_of(prefix, from, to);
    const std::size_t prefix_size = prefix.size();
    Walk rows(*database_, database_->head(), snapshot_.get(), bounds.lower, bounds.upper,
              direction);
    Walk graves(*database_, database_->graves(), snapshot_.get(), bounds.lower, bounds.upper,
                direction);
    const auto rows_come_first = [&] {
        if (!rows.valid() || !graves.valid()) return rows.valid();
        return direction == Direction::forward ? rows.key() < graves.key()
                                               : rows.key() > graves.key();
    };
    // A walk that fails looks like one that has come to its end: what the other one still gives
    // would be told without what stands between.
    const auto both_can_be_read = [&]() -> Result<void> {
        if (!rows.status().ok()) return std::unexpected(error_of(rows.status(), "scan"));
        if (!graves.status().ok())
            return std::unexpected(error_of(graves.status(), "scan deletions"));
        return {};
    };
    BOS_CHECK(both_can_be_read());
    std::string older;
    Gap gap(*database_, snapshot_.get());
    const auto look_back = [&](std::string_view key) -> Result<bool> {
        if (gap.has(key)) return false;
        BOS_TRY(const bool existed, older_version(key, older));
        if (!existed) BOS_CHECK(gap.note(key));
        return existed;
    };
    while (rows.valid() || graves.valid()) {
        const bool live = rows_come_first();
        Walk& walk = live ? rows : graves;
        const std::string_view key = walk.key();
        const std::string_view value = walk.value();
        if (value.size() < position_bytes) return std::unexpected(corrupt_row());
        bool wants_more = true;
        const Position written{read_be64(value)};
        if (live && is_current(written)) {
            wants_more = visit(key.substr(prefix_size), value.substr(position_bytes));
        } else if (written != of_now) {
            BOS_TRY(const bool existed, live ? look_back(key) : buried_version(key, value, older));
            if (existed) wants_more = visit(key.substr(prefix_size), older);
        }
        if (!wants_more) return {};
        walk.next();
        if (!walk.valid()) BOS_CHECK(both_can_be_read());
    }
    return {};
}

}  // namespace bos::projections
