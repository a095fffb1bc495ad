#pragma once

#include <string>
#include <vector>

namespace bos::test {

/// How a new version of a schema breaks logs written under the released one, beyond what `flatc
/// --conform` tells: it lets the last field of a table go, a field become required or optional, and
/// an event change its name or number. Both are binary schemas. What is not an event, nor inside
/// one, may change: views are rebuilt.
[[nodiscard]] std::vector<std::string> breaks(const std::string& released,
                                              const std::string& current);

}  // namespace bos::test
