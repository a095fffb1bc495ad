#pragma once

#include <boost/asio/ip/address.hpp>

#include <string>
#include <string_view>

namespace bos::gateway {

/// The address itself, an IPv4 address written as IPv6 turned back.
[[nodiscard]] boost::asio::ip::address plain_address(const boost::asio::ip::address& address);

/// What counts as one peer for limits: an IPv4 address, or an IPv6 /64, since one host may take any
/// address of its /64. Text that is no address counts as itself.
[[nodiscard]] std::string peer_network(std::string_view address);

}  // namespace bos::gateway
