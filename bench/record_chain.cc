#include "bench/record_chain.h"

#include "schemas/base/random.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

namespace bos::bench {

RecordChain::RecordChain(std::size_t writer)
    : commit_{.tenant = *TenantId::parse(fmt::format("writer-{}", writer)),
              .position = {},
              .previous_hash = {},
              .recorded_at = SystemClock().now(),
              .command = "bench.append",
              .key = {},
              .fingerprint = {},
              .actor = {},
              .on_behalf_of = {},
              .correlation = {},
              .causation = {},
              .grant = "",
              .target = {},
              .target_version = {},
              .events = {}} {
    SystemRandom random;
    eventstore::RecordedEvent event;
    event.type = "bench.v1";
    event.number = 1;
    event.stream = {.type = 1, .id = new_uuid(commit_.recorded_at, random)};
    event.payload = "x";
    commit_.events.push_back(std::move(event));
}

void RecordChain::prepare(std::size_t records) {
    while (ready_.size() < records) {
        commit_.position = commit_.position.next();
        commit_.key = fmt::format("{:x}", commit_.position.value);
        commit_.events.front().version = Version{commit_.position.value};
        ready_.push_back(eventstore::encode(commit_));
        commit_.previous_hash = eventstore::hash_of(ready_.back());
    }
}

std::string RecordChain::next() {
    if (ready_.empty()) prepare(1);
    std::string record = std::move(ready_.front());
    ready_.pop_front();
    return record;
}

}  // namespace bos::bench
