#pragma once

#include "eventstore/kafka_handle.h"

#include <chrono>

namespace bos::eventstore::kafka {

/// Whether the brokers take a client with these properties in, by one connection that is closed
/// again. Nothing is written. A cluster that does not answer has not refused: that is no error
/// here. Blocks until a broker has answered, all have failed, or `timeout` is over. Errors: denied
/// = TLS or SASL failed at every broker that was tried, with what to check; invalid = as
/// open_handle.
[[nodiscard]] Result<void> check_access(const Properties& properties,
                                        std::chrono::milliseconds timeout);

}  // namespace bos::eventstore::kafka
