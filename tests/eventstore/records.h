#pragma once

#include "eventstore/commit.h"
#include "eventstore/event_log.h"

#include <fmt/format.h>

#include <cstring>
#include <string>
#include <string_view>

namespace bos::eventstore::test {

inline TenantId tenant(std::string_view name) { return TenantId::parse(name).value(); }

/// An id that reads as its number.
inline Uuid uuid(std::uint64_t number) {
    Uuid id;
    for (std::size_t i = 0; i < 8; ++i) {
        id.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
    }
    return id;
}

inline StreamId stream(std::uint64_t number) { return {.type = 7, .id = uuid(number)}; }

inline RecordedEvent event(const StreamId& stream, std::uint64_t version,
                           std::string payload = "payload") {
    return {.type = "leads.lead-captured.v1",
            .number = 3,
            .schema_version = 1,
            .stream = stream,
            .version = Version{version},
            .payload = std::move(payload)};
}

/// A plain commit that continues `head`: one event, key and time derived from its position.
inline Commit commit_after(const Head& head, const TenantId& tenant) {
    const Position position = head.position.next();
    return Commit{.tenant = tenant,
                  .position = position,
                  .previous_hash = head.hash,
                  .recorded_at = from_micros(static_cast<std::int64_t>(position.value) * 1'000'000),
                  .command = "leads.capture-lead",
                  .key = fmt::format("key-{}", position.value),
                  .fingerprint = {},
                  .actor = {.kind = ActorKind::user, .id = UserId(uuid(9))},
                  .on_behalf_of = std::nullopt,
                  .correlation = uuid(position.value),
                  .causation = {},
                  .depth = 0,
                  .grant = "leads:lead:write@all",
                  .target = {},
                  .target_version = {},
                  .events = {event(stream(1), position.value)}};
}

/// Builds the records of one tenant's chain, one after the other.
class Chain {
  public:
    explicit Chain(TenantId tenant, Head head = {}) : tenant_(std::move(tenant)), head_(head) {}

    /// The next record; `change` may fill in what the test is about.
    template <class Change>
    std::string next(Change&& change) {
        Commit commit = commit_after(head_, tenant_);
        change(commit);
        std::string record = encode(commit);
        head_ = Head{.position = commit.position, .hash = hash_of(record)};
        return record;
    }
    std::string next() {
        return next([](Commit&) {});
    }

    [[nodiscard]] const Head& head() const { return head_; }
    [[nodiscard]] const TenantId& tenant() const { return tenant_; }

  private:
    TenantId tenant_;
    Head head_;
};

}  // namespace bos::eventstore::test
