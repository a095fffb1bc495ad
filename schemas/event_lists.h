#pragma once

#include "schemas/base/types.h"
#include "schemas/leads.gen.h"

namespace bos {

/// The events of every module, for what goes by all of them and knows none.
using EventLists = types<leads::Events>;

}  // namespace bos
