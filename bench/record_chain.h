#pragma once

#include "eventstore/commit.h"

#include <cstddef>
#include <deque>
#include <string>

namespace bos::bench {

/// Records of some 300 bytes that continue one tenant's log, encoded and chained ahead of time, so
/// that only their append is measured.
class RecordChain {
  public:
    explicit RecordChain(std::size_t writer);

    void prepare(std::size_t records);
    /// Makes one on the spot when none is left.
    [[nodiscard]] std::string next();

  private:
    eventstore::Commit commit_;
    std::deque<std::string> ready_;
};

}  // namespace bos::bench
