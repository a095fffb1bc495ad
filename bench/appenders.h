#pragma once

#include "bench/closed_loop.h"
#include "bench/raw_log.h"
#include "bench/record_chain.h"
#include "bench/temp_folder.h"
#include "eventstore/rocks_log.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace bos::bench {

/// Writers of one tenant each, with one record of some 300 bytes under way.
class Appenders {
  public:
    explicit Appenders(std::size_t writers);

    /// Hands a record over; `done` is called once it is durable.
    using Append = std::function<void(std::string record, std::function<void(bool ok)> done)>;
    [[nodiscard]] Measured run(double seconds, const Append& append);

  private:
    ClosedLoop loop_;
    std::vector<RecordChain> chains_;
    double records_per_writer_second_ = 2000;  ///< as of the last run, with room
};

/// Writers on the log of the product.
class LogAppenders {
  public:
    LogAppenders(const std::filesystem::path& parent, std::size_t writers);
    [[nodiscard]] Measured run(double seconds);

  private:
    TempFolder folder_;
    Appenders appenders_;
    std::unique_ptr<eventstore::RocksLog> log_;
};

/// The same writers on raw RocksDB.
class RawAppenders {
  public:
    RawAppenders(const std::filesystem::path& parent, std::size_t writers);
    [[nodiscard]] Measured run(double seconds);

  private:
    TempFolder folder_;
    Appenders appenders_;
    RawLog log_;
};

}  // namespace bos::bench
