#pragma once

#include "projections/view_reader.h"
#include "projections/view_store_options.h"
#include "projections/write_session.h"
#include "schemas/base/position.h"
#include "schemas/base/result.h"
#include "schemas/base/tenant.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace bos::projections {

class ViewDatabase;

/// What the store knows about a tenant's views.
struct TenantViews {
    Position applied;                  ///< of every live view
    std::vector<Generation> live;      ///< in order of their views
    std::vector<Generation> building;  ///< not read by anybody yet
};

/// Rows of all views of all tenants, with their past (design.md 1.9): the newest version of a row
/// costs a plain read, older ones are found by position. Deleted rows cost readers at the head
/// nothing.
///
/// A view's rows live in a generation. Readers and live writers use its live generation; a rebuild
/// fills another one and `go_live` exchanges them in one write.
///
/// Thread-safe, except that a tenant's live rows have one writer at a time, and so has each
/// generation that is being built. The store outlives its readers and sessions.
class ViewStore {
  public:
    /// Errors: corrupt when the files are damaged or of a newer version (with
    /// OnCorruption::start_empty they are deleted instead), unavailable when they cannot be opened
    /// now.
    [[nodiscard]] static Result<std::unique_ptr<ViewStore>> open(const ViewStoreOptions& options);
    ~ViewStore();

    [[nodiscard]] Result<TenantViews> views(const TenantId& tenant) const;

    /// Changes whenever what read() reads may have changed; empty while that is under way. Equal
    /// before an answer is read and at any time later: it would be the same. Counted from open().
    [[nodiscard]] std::optional<std::uint64_t> settled(const TenantId& tenant) const;

    /// Everything as it is now; every commit is in it as a whole, for all live views.
    [[nodiscard]] Result<ViewReader> read(const TenantId& tenant) const;
    /// Everything as it was when `as_of` was the newest commit. Errors: unavailable when the views
    /// have not come that far: an answer about the past must not change later.
    [[nodiscard]] Result<ViewReader> read_as_of(const TenantId& tenant, Position as_of) const;

    /// Writes to the live views; finish() moves the tenant's applied position along.
    [[nodiscard]] Result<WriteSession> write(const TenantId& tenant);

    /// A new empty generation of a view. One that was being built before is dropped.
    [[nodiscard]] Result<Generation> start_building(const TenantId& tenant, std::uint16_t view,
                                                    std::uint32_t version);
    /// Writes to generations that start_building gave and that nobody has written to yet.
    [[nodiscard]] WriteSession write_to(const TenantId& tenant, std::vector<Generation> building);
    /// `built` become the live generations of their views, at once; `applied` becomes the applied
    /// position of the tenant. Those that they replace are dropped; readers that have them open
    /// keep them.
    [[nodiscard]] Result<void> go_live(const TenantId& tenant, std::span<const Generation> built,
                                       Position applied);
    /// Drops the rows of a view, live or being built. A reader then answers as for a view never
    /// built.
    [[nodiscard]] Result<void> clear(const TenantId& tenant, std::uint16_t view);
    /// Drops what was being built when the process ended, or was given up.
    [[nodiscard]] Result<void> drop_unfinished(const TenantId& tenant);
    /// Drops everything of a tenant but the number of its newest generation, and returns after its
    /// bytes have left the files.
    [[nodiscard]] Result<void> forget(const TenantId& tenant);

    /// SHA-256 over every row and past version of a view, in key order; the same however the
    /// commits were batched and in whichever generation they stand.
    [[nodiscard]] Result<Hash> hash(const TenantId& tenant, std::uint16_t view) const;

  private:
    explicit ViewStore(std::unique_ptr<ViewDatabase> database);

    std::unique_ptr<ViewDatabase> database_;
};

}  // namespace bos::projections
