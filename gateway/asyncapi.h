#pragma once

#include <string>

namespace bos::gateway {

/// The AsyncAPI 3.0 document of the Kafka topics: their settings, and each event's headers and
/// fields. Made once from the schemas of all modules.
[[nodiscard]] const std::string& asyncapi_document();

/// The index of events for consumers: for each its name, number, version, aggregate, schema file,
/// root table and personal fields. A JSON array, one event a line, by name.
[[nodiscard]] std::string events_index();

}  // namespace bos::gateway
