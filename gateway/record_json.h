#pragma once

#include "eventstore/commit.h"

#include <string>

namespace bos::gateway {

/// A record as one line of JSON, its events decoded where a module knows them. Personal data shows
/// as dots.
[[nodiscard]] std::string record_json(const eventstore::Commit& commit, const Hash& hash);

/// The data of an event as JSON; empty when no module knows the type.
[[nodiscard]] std::string event_json(const eventstore::RecordedEvent& event);

}  // namespace bos::gateway
