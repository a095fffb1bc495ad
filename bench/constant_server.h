#pragma once

#include <cstddef>

namespace bos::bench {

/// The limit of an HTTP server here: Beast reads the request and writes a constant body, without
/// checks, time-outs, authentication or further headers, on as many threads as the product's
/// gateway. Prints its port and runs until it is told to stop. Returns the exit code.
int run_constant_server(std::size_t body_bytes);

}  // namespace bos::bench
