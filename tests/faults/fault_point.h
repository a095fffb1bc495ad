#pragma once

#include "tests/sim/disk.h"

#include <compare>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace bos::faults {

/// Where a disk is asked for something: of which store, of which kind of file, and for what. How
/// often it is asked there is the same in each run, or nearly so, whatever other threads do: the
/// n-th time at a site is a place in a run that can be found again.
struct Site {
    std::string store;  ///< log, keys or views
    std::string file;   ///< wal, table, manifest, mark, ...
    sim::Disk::Operation operation;

    friend auto operator<=>(const Site&, const Site&) = default;
};

enum class Kind : std::uint8_t {
    io_error,   ///< nothing is done
    torn,       ///< the first half of the bytes is written, and it is an I/O error
    no_space,   ///< the first half of the bytes is written; the next one has room
    full_disk,  ///< and so is whatever needs room from then on, until heal()
};

struct Fault {
    Site site;
    std::uint64_t ordinal = 1;  ///< the n-th time at the site
    Kind kind = Kind::io_error;
};

/// As BOS_FAULT takes it: "log/wal/append/3/torn".
[[nodiscard]] std::string text_of(const Fault& fault);
/// Errors: none = not such a text.
[[nodiscard]] std::optional<Fault> fault_of(const std::string& text);

/// In which ways an operation can fail.
[[nodiscard]] std::vector<Kind> kinds_of(sim::Disk::Operation operation);

/// Counts what a disk is asked for, and makes one of it fail.
///
/// Thread-safe.
class FaultPoint {
  public:
    /// None: only counts.
    explicit FaultPoint(std::optional<Fault> fault) : fault_(std::move(fault)) {}

    /// Outlives the use of `disk`.
    void watch(sim::Disk& disk);
    /// A full disk has room again.
    void heal();

    [[nodiscard]] bool struck() const;
    [[nodiscard]] std::map<Site, std::uint64_t> counted() const;

  private:
    sim::Disk::Verdict ask(sim::Disk::Operation operation, const std::string& path);

    const std::optional<Fault> fault_;
    mutable std::mutex mutex_;
    std::map<Site, std::uint64_t> counted_;  ///< guarded by mutex_
    bool struck_ = false;                    ///< guarded by mutex_
    bool full_ = false;                      ///< guarded by mutex_
};

}  // namespace bos::faults
