#pragma once

#include "eventstore/event_log.h"

#include <algorithm>
#include <vector>

namespace bos::eventstore {

/// Puts an address to its place in the order of versions. The log takes versions as they are: of
/// two events with one version the one that came last counts.
inline void put_newest(std::vector<EventAddress>& addresses, const EventAddress& address) {
    if (addresses.empty() || addresses.back().version < address.version) {
        addresses.push_back(address);
        return;
    }
    const auto place =
        std::ranges::lower_bound(addresses, address.version, {}, &EventAddress::version);
    if (place == addresses.end() || place->version != address.version) {
        addresses.insert(place, address);
    } else if (place->position <= address.position) {
        *place = address;
    }
}

}  // namespace bos::eventstore
