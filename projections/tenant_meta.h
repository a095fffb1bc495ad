#pragma once

#include "projections/generation.h"
#include "schemas/base/keys.h"
#include "schemas/base/position.h"
#include "schemas/base/tenant.h"

#include <string>
#include <string_view>

/// Column family `meta`: what the store knows about each tenant.
///
///     tenant | 'a'              u64 position applied to every live view
///     tenant | 'n'              u32 number of the newest generation
///     tenant | 'v' | u16 view   u32 generation | u32 version of the view's code      live
///     tenant | 'w' | u16 view   as for 'v'                                           being built
///     "format"                  u32 version of this layout
namespace bos::projections::meta {

inline std::string applied_key(const TenantId& tenant) {
    return KeyWriter().text(tenant.value()).u8('a').take();
}
inline std::string newest_generation_key(const TenantId& tenant) {
    return KeyWriter().text(tenant.value()).u8('n').take();
}
inline std::string live_key(const TenantId& tenant, std::uint16_t view) {
    return KeyWriter().text(tenant.value()).u8('v').u16(view).take();
}
inline std::string building_key(const TenantId& tenant, std::uint16_t view) {
    return KeyWriter().text(tenant.value()).u8('w').u16(view).take();
}

inline std::string position_value(Position position) {
    return KeyWriter().u64(position.value).take();
}
[[nodiscard]] inline bool read_position(std::string_view value, Position& out) {
    KeyReader reader(value);
    return reader.u64(out.value) && reader.at_end();
}

inline std::string generation_value(const Generation& generation) {
    return KeyWriter().u32(generation.number).u32(generation.version).take();
}
[[nodiscard]] inline bool read_generation(std::string_view value, Generation& out) {
    KeyReader reader(value);
    return reader.u32(out.number) && reader.u32(out.version) && reader.at_end();
}

}  // namespace bos::projections::meta
