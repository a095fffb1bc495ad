#include "projections/view_reader.h"

#include "projections/graves_ahead.h"
#include "projections/history_gap.h"
#include "projections/row_key.h"
#include "projections/row_walk.h"
#include "projections/tenant_meta.h"

#include <fmt/format.h>

namespace bos::projections {

namespace {

rocksdb::ReadOptions at(const rocksdb::Snapshot* snapshot) {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot;
    return options;
}

RowRange range_of(std::string_view prefix, std::string_view from, std::string_view to) {
    RowRange range{std::string(prefix), {}};
    range.lower.append(from);
    if (to.empty()) {
        range.upper = after_prefix(prefix);
    } else {
        range.upper.append(prefix).append(to);
    }
    return range;
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
    const RowRange range = range_of(prefix, from, to);
    const std::size_t prefix_size = prefix.size();  // `visit` may open another view
    RowWalk rows(*database_, database_->head(), snapshot_.get(), range, direction);
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
    const RowRange whole = range_of(prefix, from, to);
    GravesAhead graves(*database_, snapshot_.get(), whole, direction, position_);
    HistoryGap gap(*database_, snapshot_.get());
    const std::size_t prefix_size = prefix.size();
    // Where rows moved away RocksDB steps over what is left of each, and there are graves: rows are
    // not walked further than graves were looked at.
    for (RowRange rest = whole;;) {
        BOS_CHECK(graves.take_next());
        RowRange part = rest;
        if (!graves.at_end()) part.end_in(direction) = graves.last_key();
        BOS_TRY(const bool wants_more, scan_part(part, graves.taken(), gap, direction,
                                                 [&](std::string_view key, std::string_view row) {
                                                     return visit(key.substr(prefix_size), row);
                                                 }));
        if (!wants_more || graves.at_end()) return {};
        rest.begin_in(direction) = graves.last_key();
    }
}

/// The rows and the graves of a part of the range, as they were. False: `visit` wants no more.
Result<bool> ViewReader::scan_part(const RowRange& part, std::span<const Grave> graves,
                                   HistoryGap& gap, Direction direction,
                                   const VisitRow& visit) const {
    RowWalk rows(*database_, database_->head(), snapshot_.get(), part, direction);
    auto grave = graves.begin();
    const auto rows_come_first = [&] {
        if (!rows.valid() || grave == graves.end()) return rows.valid();
        return direction == Direction::forward ? rows.key() < grave->key : rows.key() > grave->key;
    };
    std::string older;
    const auto look_back = [&](std::string_view key) -> Result<bool> {
        if (gap.has(key)) return false;
        BOS_TRY(const bool existed, older_version(key, older));
        if (!existed) BOS_CHECK(gap.note(key));
        return existed;
    };
    for (bool wants_more = true; wants_more;) {
        // A walk that fails looks like one that has come to its end: graves would be told of
        // without the rows that stand between them.
        if (!rows.valid() && !rows.status().ok())
            return std::unexpected(error_of(rows.status(), "scan"));
        if (rows_come_first()) {
            const std::string_view key = rows.key();
            const std::string_view value = rows.value();
            if (value.size() < position_bytes) return std::unexpected(corrupt_row());
            const Position written{read_be64(value)};
            if (is_current(written)) {
                wants_more = visit(key, value.substr(position_bytes));
            } else if (written != of_now) {
                BOS_TRY(const bool existed, look_back(key));
                if (existed) wants_more = visit(key, older);
            }
            if (wants_more) rows.next();
        } else if (grave != graves.end()) {
            BOS_TRY(const bool existed, buried_version(grave->key, grave->value, older));
            if (existed) wants_more = visit(grave->key, older);
            ++grave;
        } else {
            return true;
        }
    }
    return false;
}

}  // namespace bos::projections
