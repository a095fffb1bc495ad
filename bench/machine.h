#pragma once

#include <boost/json/object.hpp>

namespace bos::bench {

/// What the figures depend on beside the code: processor, load, kernel, and the commit if git
/// knows.
[[nodiscard]] boost::json::object describe_machine();

}  // namespace bos::bench
