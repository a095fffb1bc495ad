#pragma once

#include "schemas/base/result.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace bos::gateway {

/// Writes what a consumer of the topics needs into `folder`, which is made if it is not there:
///
///     <module>.fbs, base.fbs   the schemas of the events; commit.fbs that of the log's records
///     events.json              which events there are, and where in the schemas
///     asyncapi.json            the topics
///     openapi.json             commands and queries
///
/// Files of these names are replaced. In the schemas, arrays of bytes are written out as fields:
/// the bytes are the same, and flatc 2.0 knows no arrays in TypeScript and Go. Errors: unavailable.
[[nodiscard]] Result<void> export_schemas(const std::filesystem::path& folder);

/// `id:[ubyte:2];` -> `id0:ubyte; id1:ubyte;`
[[nodiscard]] std::string with_arrays_written_out(std::string_view schema);

}  // namespace bos::gateway
