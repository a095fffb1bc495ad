#pragma once

#include "schemas/base/tenant.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <unordered_map>

namespace bos::projections {

/// Counts the changes of what is read at the head, tenant by tenant, so that an answer can be kept
/// for as long as it is true:
///
///     const auto seen = changes.settled(tenant);
///     answer = …;                                    // read after it
///     if (seen && changes.settled(tenant) == seen)   // at any time: the same would be read again
///
/// Some 200 bytes for each tenant that was changed since the start. Thread-safe.
class ViewChanges {
    struct Counts {
        std::atomic<std::uint64_t> begun = 0;
        std::atomic<std::uint64_t> ended = 0;
    };

  public:
    /// Empty while a change is under way: some would read what it writes, and some what was before.
    [[nodiscard]] std::optional<std::uint64_t> settled(const TenantId& tenant) const {
        const std::shared_lock lock(mutex_);
        const auto found = tenants_.find(tenant);
        if (found == tenants_.end()) return 0;
        const std::uint64_t ended = found->second->ended;
        if (found->second->begun != ended) return std::nullopt;
        return ended;
    }

    /// A change that is under way, from before its write until after it. Does not outlive the
    /// counts.
    class Change {
      public:
        Change(ViewChanges& changes, const TenantId& tenant) : counts_(changes.counts_of(tenant)) {
            ++counts_.begun;
        }
        ~Change() { ++counts_.ended; }
        Change(const Change&) = delete;
        Change& operator=(const Change&) = delete;

      private:
        Counts& counts_;
    };

  private:
    Counts& counts_of(const TenantId& tenant) {
        {
            const std::shared_lock lock(mutex_);
            if (const auto found = tenants_.find(tenant); found != tenants_.end())
                return *found->second;
        }
        const std::unique_lock lock(mutex_);
        std::unique_ptr<Counts>& counts = tenants_[tenant];
        if (!counts) counts = std::make_unique<Counts>();
        return *counts;
    }

    mutable std::shared_mutex mutex_;
    std::unordered_map<TenantId, std::unique_ptr<Counts>> tenants_;
};

}  // namespace bos::projections
