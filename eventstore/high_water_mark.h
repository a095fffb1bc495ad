#pragma once

#include "schemas/base/position.h"
#include "schemas/base/result.h"

#include <rocksdb/env.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace bos::eventstore {

/// How far a log is known to have been durable: its last record's number and hash. Before the first
/// record: 0 and the zero hash.
struct Mark {
    std::uint64_t sequence = 0;
    Hash hash;

    friend bool operator==(const Mark&, const Mark&) = default;
};

/// The mark in a small file outside the database. RocksDB opens "OK" after it lost acknowledged
/// writes (a truncated or deleted WAL, an older copy of its folder); the mark is the witness
/// against that.
///
/// Two slots, 4 KiB apart and written in turn: a torn write destroys the slot being written, never
/// the one before it. Byte table in docs/formats.md.
///
/// Not thread-safe.
class HighWaterMark {
  public:
    /// Empty when there is no file. Errors: corrupt when no slot is whole.
    [[nodiscard]] static Result<std::optional<HighWaterMark>> open(rocksdb::Env& env,
                                                                   const std::string& path);
    /// Makes the file, in the place of any that is there. After it, file and name are durable.
    [[nodiscard]] static Result<HighWaterMark> create(rocksdb::Env& env, const std::string& path,
                                                      const Mark& mark);

    [[nodiscard]] const Mark& last() const { return last_; }

    /// Writes and syncs. After an error last() is unchanged and the file must not be used any more.
    [[nodiscard]] Result<void> advance(const Mark& mark);

  private:
    HighWaterMark(std::string path, std::unique_ptr<rocksdb::RandomRWFile> file,
                  std::uint64_t generation, const Mark& last)
        : path_(std::move(path)), file_(std::move(file)), generation_(generation), last_(last) {}

    std::string path_;
    std::unique_ptr<rocksdb::RandomRWFile> file_;
    std::uint64_t generation_;  ///< counts writes; the slot is generation modulo 2
    Mark last_;
};

}  // namespace bos::eventstore
