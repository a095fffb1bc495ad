#include "eventstore/index_segment.h"

#include "eventstore/event_addresses.h"

#include <algorithm>

namespace bos::eventstore {

bool IndexSegment::add(const RecordIndex& index) {
    const std::uint32_t number = number_of(index.link);
    Tenant& tenant = tenants_[number];
    const Position position = index.link.position;
    if (position.value != tenant.first.value + tenant.sequences.size()) return false;
    tenant.sequences.push_back(++last_);
    tenant.hash = index.hash;
    keys_.insert_or_assign(Key{.tenant = number, .digest = index.key_digest}, position);
    for (std::uint32_t i = 0; i < index.events.size(); ++i) {
        const auto& [stream, version] = index.events[i];
        put_newest(streams_[Stream{.tenant = number, .id = stream}],
                   {.version = version, .position = position, .index = i});
    }
    entries_ += 2 + index.events.size();
    return true;
}

std::uint32_t IndexSegment::number_of(const Link& link) {
    const auto next = static_cast<std::uint32_t>(tenants_.size());
    const auto [found, is_new] = numbers_.try_emplace(link.tenant, next);
    if (is_new) {
        tenants_.push_back(
            {.id = link.tenant, .first = link.position, .sequences = {}, .hash = {}});
    }
    return found->second;
}

const IndexSegment::Tenant* IndexSegment::tenant(const TenantId& id) const {
    const auto number = numbers_.find(id);
    return number == numbers_.end() ? nullptr : &tenants_[number->second];
}

std::optional<Position> IndexSegment::find_key(const TenantId& tenant,
                                               const Hash& key_digest) const {
    const auto number = numbers_.find(tenant);
    if (number == numbers_.end()) return std::nullopt;
    const auto key = keys_.find(Key{.tenant = number->second, .digest = key_digest});
    if (key == keys_.end()) return std::nullopt;
    return key->second;
}

std::span<const EventAddress> IndexSegment::stream(const TenantId& tenant, const StreamId& stream,
                                                   Version from) const {
    const auto number = numbers_.find(tenant);
    if (number == numbers_.end()) return {};
    const auto events = streams_.find(Stream{.tenant = number->second, .id = stream});
    if (events == streams_.end()) return {};
    const auto first = std::ranges::lower_bound(events->second, from, {}, &EventAddress::version);
    return {first, events->second.end()};
}

}  // namespace bos::eventstore
