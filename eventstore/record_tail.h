#pragma once

#include "eventstore/kafka_chain.h"
#include "eventstore/record_index.h"
#include "eventstore/tail.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bos::eventstore {

/// A tenant's last record of those that were written together, and where it stands in its topic.
struct Origin {
    const TenantId* tenant = nullptr;
    Position position;
    Offset offset;
};

/// Some records of a replica that follow each other, in memory, and where each tenant's last one
/// stands in its topic.
///
/// Not thread-safe; from many threads once nothing is added any more.
struct RecordPortion {
    /// Of the records after `end`.
    explicit RecordPortion(std::uint64_t end) : before(end) {}

    struct End {
        Position before;  ///< where the tenant ended before this portion
        Position position;
        Offset offset;
    };

    [[nodiscard]] std::uint64_t last() const { return before + records.size(); }

    std::uint64_t before;
    std::vector<std::string_view> records;  ///< of before + 1, before + 2, …; in `chunks`
    std::unordered_map<TenantId, End> ends;
    std::vector<std::unique_ptr<char[]>> chunks;
    std::size_t bytes = 0;
    std::chrono::steady_clock::time_point begun;  ///< when the first one was added
};

/// The newest records of a replica, those that its tables do not have yet. A portion is full with
/// so many bytes or after so long a time, and then written; the process that ends before leaves it
/// to be read from its topic again.
///
/// A look-up that finds nothing here goes on in the tables, in this order: a portion leaves the
/// tail when the tables have it, so what was here before is there after.
///
/// Thread-safe.
class RecordTail : public Tail<RecordPortion> {
  public:
    struct Bounds {
        std::size_t portion_bytes = 16 * 1024 * 1024;  ///< one write may go beyond it
        std::chrono::milliseconds held{1'000};         ///< in memory alone
    };

    explicit RecordTail(const Bounds& bounds);

    /// The tables end with record `written`: what they have leaves the tail, the rest stays. False:
    /// they lack something that has left it.
    [[nodiscard]] bool restart(std::uint64_t written);

    /// The next records; each tenant's last one has an origin. `ends`: where the tenants of
    /// `origins` ended before them. On the one thread that adds.
    void add(std::span<const RecordView> records, std::span<const Origin> origins,
             std::span<const Position> ends);

    /// As Tail's; a portion that was held long enough is full.
    [[nodiscard]] std::shared_ptr<const RecordPortion> wait_for_full();
    /// Blocks until the tables have record `sequence`, and does not wait for its portion to be
    /// full. Errors: full, when they cannot.
    [[nodiscard]] Result<void> wait_until_written(std::uint64_t sequence);
    /// The same of all records that were added.
    [[nodiscard]] Result<void> wait_until_all_written();

    // Look-ups.

    struct Found {
        std::shared_ptr<const RecordPortion> portion;  ///< holds the bytes
        std::string_view bytes;
    };
    [[nodiscard]] std::optional<Found> find(std::uint64_t sequence) const;
    /// Of the tenant's record at `position`, if it is the last one of a portion.
    [[nodiscard]] std::optional<Offset> offset_of(const TenantId& tenant, Position position) const;
    /// All of it, in order.
    [[nodiscard]] std::vector<Found> all() const;

  private:
    void seal_growing();
    [[nodiscard]] std::uint64_t written() const;
    [[nodiscard]] Result<void> wait_until_written(std::uint64_t sequence,
                                                  std::unique_lock<std::mutex> lock);

    const Bounds bounds_;
};

}  // namespace bos::eventstore
