#pragma once

#include "bench/measured.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bos::bench {

/// The rows of a RocksDB folder, to be put into a fresh one with nothing but RocksDB in the way.
class RawRows {
  public:
    /// Reads all families but `default`, also while another handle writes to them.
    explicit RawRows(const std::filesystem::path& database);

    [[nodiscard]] std::uint64_t rows() const { return rows_; }
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

    /// Puts all of them, family by family in the order of their keys, in unsynced batches of 8 MiB.
    /// Opening and closing do not count.
    [[nodiscard]] Measured put_all(const std::filesystem::path& parent) const;

  private:
    struct Row {
        std::string key;
        std::string value;
    };
    struct Family {
        std::string name;
        std::vector<Row> rows;
    };

    std::vector<Family> families_;
    std::uint64_t rows_ = 0;
    std::uint64_t bytes_ = 0;
};

}  // namespace bos::bench
