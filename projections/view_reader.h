#pragma once

#include "schemas/base/position.h"
#include "schemas/base/result.h"
#include "schemas/base/tenant.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rocksdb {
class Iterator;
class Snapshot;
}  // namespace rocksdb

namespace bos::projections {

class HistoryGap;
class ViewDatabase;
struct Grave;
struct RowRange;

enum class Direction : std::uint8_t { forward, backward };

/// Returns false to stop. Both views are only valid during the call.
using VisitRow = std::function<bool(std::string_view key, std::string_view row)>;

/// A tenant's views at one position: a consistent cut across all of them, however long it is open.
///
/// One thread at a time. Keep it short: it holds back the clean-up of the database.
class ViewReader {
  public:
    ViewReader(ViewReader&&) noexcept;
    ViewReader& operator=(ViewReader&&) noexcept;
    ~ViewReader();

    /// The position whose state this is: the newest one applied, or the one asked for.
    [[nodiscard]] Position position() const { return position_; }
    /// The newest one that was applied when the reader was opened.
    [[nodiscard]] Position applied() const { return applied_; }
    /// False: a position was asked for, be it the newest one. Rows without a past (Past::none) are
    /// not there then.
    [[nodiscard]] bool is_of_now() const { return at_head_; }
    [[nodiscard]] const TenantId& tenant() const { return tenant_; }

    /// The newest position of the same snapshot: what a reader of the past asks for what is decided
    /// by how things stand today.
    [[nodiscard]] Result<ViewReader> today() const;

    /// Replaces `row` and returns true, or returns false when there is no such row. Errors:
    /// unavailable when the view has not been built, corrupt.
    [[nodiscard]] Result<bool> get(std::uint16_t view, std::string_view key,
                                   std::string& row) const;

    /// Visits the rows with from <= key < to (empty `to` = up to the view's end) in key order, or
    /// from the last to the first. Errors as for get.
    [[nodiscard]] Result<void> scan(std::uint16_t view, std::string_view from, std::string_view to,
                                    Direction direction, const VisitRow& visit) const;

    /// The rows whose keys start with `prefix`, in key order.
    [[nodiscard]] Result<void> scan_prefix(std::uint16_t view, std::string_view prefix,
                                           const VisitRow& visit) const;

  private:
    friend class ViewStore;

    struct OpenView {
        std::uint16_t view;
        std::string prefix;
    };

    ViewReader(const ViewDatabase& database, const TenantId& tenant);
    ViewReader(const ViewDatabase& database, const TenantId& tenant,
               std::shared_ptr<const rocksdb::Snapshot> snapshot);
    [[nodiscard]] Result<void> find_position(std::optional<Position> as_of);
    [[nodiscard]] Result<std::string_view> prefix_of(std::uint16_t view) const;
    [[nodiscard]] bool is_current(Position written) const { return written <= position_; }
    [[nodiscard]] Result<bool> buried_version(std::string_view head_key, std::string_view grave,
                                              std::string& row) const;
    [[nodiscard]] Result<bool> older_version(std::string_view head_key, std::string& row) const;
    [[nodiscard]] Result<void> scan_head(std::string_view prefix, std::string_view from,
                                         std::string_view to, Direction direction,
                                         const VisitRow& visit) const;
    [[nodiscard]] Result<void> scan_as_of(std::string_view prefix, std::string_view from,
                                          std::string_view to, Direction direction,
                                          const VisitRow& visit) const;
    [[nodiscard]] Result<bool> scan_part(const RowRange& part, std::span<const Grave> graves,
                                         HistoryGap& gap, Direction direction,
                                         const VisitRow& visit) const;

    const ViewDatabase* database_;
    TenantId tenant_;
    std::shared_ptr<const rocksdb::Snapshot> snapshot_;
    Position position_;
    Position applied_;
    bool at_head_ = true;
    mutable std::vector<OpenView> open_views_;
    mutable std::unique_ptr<rocksdb::Iterator> history_;  // opened by the first look into the past
    mutable std::string key_;                             // scratch
};

}  // namespace bos::projections
