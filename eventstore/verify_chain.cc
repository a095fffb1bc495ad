#include "eventstore/event_log.h"
#include "eventstore/this_thread.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <future>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace bos::eventstore {

namespace {

/// A piece begins where a row of the index does (log_rows.h: 64 positions to a row), and has so
/// many records that finding its beginning does not count.
constexpr std::uint64_t records_of_piece_min = 16 * 1024;
/// Bounds what is kept until the pieces are joined. More than there are threads, so that none waits
/// long for the last one.
constexpr std::uint64_t pieces_max = 64;
/// A server may run beside it.
constexpr unsigned threads_max = 4;

std::unexpected<Error> broken(const TenantId& tenant, Position position, std::string_view why) {
    return fail(Code::corrupt, fmt::format("{}: log is broken at position {}: {}", tenant.value(),
                                           position.value, why));
}

/// What is checked of a record beside the one before it.
struct Joint {
    Position position;
    Hash previous_hash;
    Timestamp recorded_at;
};

/// Where a chain ends as far as it was followed; an empty one before its first record.
struct End {
    Head head;
    Timestamp recorded_at = Timestamp::min();

    [[nodiscard]] Result<void> check_joins(const TenantId& tenant, Position position,
                                           const Joint& next) const {
        if (next.position != position || position != head.position.next()) {
            return broken(tenant, position,
                          fmt::format("record says it is number {}", next.position.value));
        }
        if (next.previous_hash != head.hash) {
            return broken(tenant, position, "previous_hash is not the hash of the record before");
        }
        if (next.recorded_at < recorded_at) {
            return broken(tenant, position, "recorded_at is before that of the record before");
        }
        return {};
    }
};

/// Some records of a chain in a row: what they come to, up to the first that is wrong. How the
/// first one joins what lies before is checked when that is known.
class Piece {
  public:
    Piece() = default;
    Piece(const EventLog& log, const TenantId& tenant, Position from, Position to,
          const std::function<bool()>& is_needed) {
        const auto scanned = log.scan_links(
            tenant, from, to, [&](Position at, const Link& link, std::string_view record) {
                sound_ = follow(tenant, at, link, record);
                return sound_.has_value() && is_needed();
            });
        if (!scanned) sound_ = scanned;
    }

    [[nodiscard]] const Result<void>& sound() const { return sound_; }
    [[nodiscard]] Verified verified() const { return {.head = end_.head, .bytes = bytes_}; }

    /// Goes on with the piece after this one, which is sound.
    void join(const TenantId& tenant, const Piece& next) {
        if (next.first_) {
            sound_ = end_.check_joins(tenant, next.from_, *next.first_);
            if (!sound_) return;
            end_ = next.end_;
            bytes_ += next.bytes_;
        }
        sound_ = next.sound_;
    }

  private:
    [[nodiscard]] Result<void> follow(const TenantId& tenant, Position position, const Link& link,
                                      std::string_view record) {
        if (link.tenant != tenant) {
            return broken(tenant, position, "record belongs to " + link.tenant.value());
        }
        const Joint joint{.position = link.position,
                          .previous_hash = link.previous_hash,
                          .recorded_at = link.recorded_at};
        if (first_) {
            BOS_CHECK(end_.check_joins(tenant, position, joint));
        } else {
            from_ = position;
            first_ = joint;
        }
        end_ = {.head = {.position = position, .hash = hash_of(record)},
                .recorded_at = link.recorded_at};
        bytes_ += record.size();
        return {};
    }

    Position from_;
    std::optional<Joint> first_;  ///< of the record at from_; none: there is no sound record
    End end_;
    std::uint64_t bytes_ = 0;
    Result<void> sound_;
};

/// The pieces of a chain, followed by several threads at once: a record's hash is a function of its
/// bytes alone, so only where two pieces meet one has to wait for the other.
class Pieces {
  public:
    Pieces(const EventLog& log, const TenantId& tenant, Position to)
        : log_(log),
          tenant_(tenant),
          to_(to),
          size_(size_of_piece(to)),
          pieces_(to.value / size_ + 1),
          first_broken_(pieces_.size()) {}

    /// The chain from position 1 on, up to the first record that is wrong.
    [[nodiscard]] Piece follow() {
        {
            std::vector<std::future<void>> others;
            for (std::size_t i = 1; i < threads(); ++i)
                others.push_back(std::async(std::launch::async, [this] {
                    this_thread_is("log verify");
                    work();
                }));
            work();
            for (std::future<void>& other : others) other.get();
        }
        Piece chain;
        for (const Piece& piece : pieces_) {
            chain.join(tenant_, piece);
            if (!chain.sound()) break;
        }
        return chain;
    }

  private:
    static std::uint64_t size_of_piece(Position to) {
        const std::uint64_t least = to.value / pieces_max + 1;
        return (least / records_of_piece_min + 1) * records_of_piece_min;
    }

    [[nodiscard]] std::size_t threads() const {
        const unsigned processors = std::max(std::thread::hardware_concurrency(), 1U);
        return std::min<std::size_t>(std::min(processors, threads_max), pieces_.size());
    }

    /// Runs on: each of the threads. Takes pieces in their order, so those before a broken one are
    /// all followed to their end: nothing found later hides what is wrong earlier.
    void work() {
        for (std::size_t i = next_++; i < pieces_.size(); i = next_++) {
            const auto is_needed = [this, i] { return i <= first_broken_; };
            if (!is_needed()) return;
            const Position from{std::max<std::uint64_t>(i * size_, 1)};
            const Position to{std::min((i + 1) * size_ - 1, to_.value)};
            pieces_[i] = Piece(log_, tenant_, from, to, is_needed);
            if (!pieces_[i].sound()) told_broken(i);
        }
    }

    void told_broken(std::size_t piece) {
        std::size_t first = first_broken_;
        while (piece < first && !first_broken_.compare_exchange_weak(first, piece)) {
        }
    }

    const EventLog& log_;
    const TenantId& tenant_;
    const Position to_;
    const std::uint64_t size_;
    std::vector<Piece> pieces_;  ///< each written by the thread that took it
    std::atomic<std::size_t> next_ = 0;
    std::atomic<std::size_t> first_broken_;
};

}  // namespace

Result<Verified> verify_chain(const EventLog& log, const TenantId& tenant) {
    BOS_TRY(const Head head, log.head(tenant));
    const Piece chain = Pieces(log, tenant, head.position).follow();
    BOS_CHECK(chain.sound());
    // The last record's hash stands in no later record, only in the engine's idea of the head.
    if (chain.verified().head != head) {
        return broken(tenant, head.position, "the log's head is not the last record");
    }
    return chain.verified();
}

}  // namespace bos::eventstore
