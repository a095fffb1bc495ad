#pragma once

#include "eventstore/index_segment.h"
#include "eventstore/log_database.h"

namespace bos::eventstore {

/// Moves a segment to the tables, in one atomic and durable step together with how far they reach:
/// a sorted file is made beside the database and becomes a part of it. Its records are durable, or
/// are made so first if they were written without a sync. One at a time, in the order of the
/// records. Errors: full = nothing changed.
[[nodiscard]] Result<void> write_bulk(const LogDatabase& database, const IndexSegment& segment);

}  // namespace bos::eventstore
