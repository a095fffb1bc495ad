#include "gateway/peer_network.h"

#include <boost/asio/ip/network_v6.hpp>

#include <algorithm>

namespace bos::gateway {

namespace ip = boost::asio::ip;

ip::address plain_address(const ip::address& address) {
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        return ip::make_address_v4(ip::v4_mapped, address.to_v6());
    }
    return address;
}

std::string peer_network(std::string_view text) {
    boost::system::error_code error;
    const ip::address parsed = ip::make_address(std::string(text), error);
    if (error) return std::string(text);
    const ip::address address = plain_address(parsed);
    if (address.is_v4()) return address.to_string();
    ip::address_v6::bytes_type bytes = address.to_v6().to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
    return ip::address_v6(bytes).to_string() + "/64";
}

}  // namespace bos::gateway
