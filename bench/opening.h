#pragma once

#include <cstddef>
#include <filesystem>

namespace bos::bench {

/// Fills a data folder, says so on standard output and waits to be killed: a tenant with so many
/// events, or so many tenants with a lead each.
int fill_events_until_killed(const std::filesystem::path& data, std::size_t events);
int fill_tenants_until_killed(const std::filesystem::path& data, std::size_t tenants);

}  // namespace bos::bench
