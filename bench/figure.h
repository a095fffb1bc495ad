#pragma once

#include "bench/measured.h"
#include "bench/options.h"

#include <boost/json/object.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace bos::bench {

/// What is measured, in words and sizes.
struct Work {
    std::string name;  ///< log_append.64
    std::string unit;  ///< what the rate counts
    std::string what;  ///< one sentence
    std::string sync;  ///< what is durable when an operation ends
    boost::json::object bytes = {};
    bool warm_up = true;        ///< one short run of each side that does not count
    double bytes_per_unit = 0;  ///< when given, rates come in megabytes per second, too
};

/// One of the things that take turns in a round.
struct Side {
    std::string name;
    std::function<Measured(double seconds)> measure;
};

/// Measures the sides in turn, round by round, so that what the machine does meanwhile meets all of
/// them, and gives the figure: medians over the rounds, and for each side but the first the rate,
/// p50 and p99 of the first one over its own. A probe of the disk runs in each round.
[[nodiscard]] boost::json::object compare(const Options& options, const Work& work,
                                          const std::vector<Side>& sides);

}  // namespace bos::bench
