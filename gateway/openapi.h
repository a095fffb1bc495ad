#pragma once

#include <string>

namespace bos::gateway {

/// The OpenAPI 3.1 document: the modules' parts, generated from the schemas, and what all routes
/// share.
[[nodiscard]] const std::string& openapi_document();

}  // namespace bos::gateway
