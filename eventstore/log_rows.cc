#include "eventstore/log_rows.h"

#include "schemas/base/keys.h"

#include <cstring>
#include <utility>

namespace bos::eventstore {

namespace log_rows {

namespace {

constexpr std::uint8_t position_tag = 'p';
constexpr std::uint8_t block_tag = 'r';
constexpr std::uint8_t stream_tag = 's';
constexpr std::uint8_t key_tag = 'k';
constexpr std::uint8_t end_tag = 'e';
constexpr std::uint8_t origin_tag = 'o';
constexpr std::uint8_t announced_tag = 'b';
constexpr std::uint8_t cluster_tag = 'c';

KeyWriter of_tenant(std::uint8_t tag, const TenantId& tenant) {
    KeyWriter key;
    key.u8(tag).text(tenant.value());
    return key;
}

KeyWriter of_stream(const TenantId& tenant, const StreamId& stream) {
    return of_tenant(stream_tag, tenant).u16(stream.type).uuid(stream.id);
}

std::optional<std::uint64_t> one_number(std::string_view bytes) {
    KeyReader reader(bytes);
    std::uint64_t number = 0;
    if (!reader.u64(number) || !reader.at_end()) return std::nullopt;
    return number;
}

constexpr int bits_of_a_byte = 7;
constexpr std::uint8_t more = 0x80;

/// LEB128: seven bits in each byte, the lowest ones first.
void put_number(std::string& bytes, std::uint64_t number) {
    for (; number >= more; number >>= bits_of_a_byte)
        bytes.push_back(static_cast<char>((number & 0x7F) | more));
    bytes.push_back(static_cast<char>(number));
}

[[nodiscard]] bool take_number(std::string_view& bytes, std::uint64_t& number) {
    number = 0;
    for (int shift = 0; !bytes.empty() && shift < 64; shift += bits_of_a_byte) {
        const auto byte = static_cast<std::uint8_t>(bytes.front());
        bytes.remove_prefix(1);
        number |= std::uint64_t{byte & 0x7FU} << shift;
        if (byte < more) return true;
    }
    return false;
}

}  // namespace

std::string record_key(std::uint64_t sequence) { return KeyWriter().u64(sequence).take(); }

std::optional<std::uint64_t> sequence_of(std::string_view key) { return one_number(key); }

std::string all_blocks() { return KeyWriter().u8(block_tag).take(); }

std::string blocks_of(const TenantId& tenant) { return of_tenant(block_tag, tenant).take(); }

std::string block_key(const TenantId& tenant, Position position) {
    return of_tenant(block_tag, tenant).u64(position.value / PositionBlock::positions).take();
}

std::optional<TenantId> tenant_of_block(std::string_view key) {
    KeyReader reader(key);
    std::uint8_t tag = 0;
    std::string name;
    if (!reader.u8(tag) || tag != block_tag || !reader.text(name)) return std::nullopt;
    return TenantId::parse(name);
}

std::string block_value(const PositionBlock& block) {
    std::string bytes =
        KeyWriter()
            .u8(static_cast<std::uint8_t>(block.first.value % PositionBlock::positions))
            .u8(static_cast<std::uint8_t>(block.sequences.size()))
            .take();
    std::uint64_t before = 0;
    for (const std::uint64_t sequence : block.sequences) {
        put_number(bytes, sequence - std::exchange(before, sequence));
    }
    if (block.hash) bytes += KeyWriter().hash(*block.hash).bytes();
    return bytes;
}

std::optional<PositionBlock> block_row(std::string_view key, std::string_view value) {
    if (key.size() < sizeof(std::uint64_t)) return std::nullopt;
    std::uint64_t number = 0;
    std::uint8_t first = 0;
    std::uint8_t count = 0;
    KeyReader end_of_key(key.substr(key.size() - sizeof(number)));
    KeyReader reader(value);
    if (!end_of_key.u64(number) || !reader.u8(first) || !reader.u8(count) || count == 0 ||
        first + count > PositionBlock::positions) {
        return std::nullopt;
    }
    PositionBlock block{.first = Position{number * PositionBlock::positions + first},
                        .sequences = {},
                        .hash = std::nullopt};
    std::string_view rest = reader.rest();
    std::uint64_t sequence = 0;
    block.sequences.reserve(count);
    while (block.sequences.size() < count) {
        std::uint64_t step = 0;
        if (!take_number(rest, step) || step == 0) return std::nullopt;
        block.sequences.push_back(sequence += step);
    }
    if (rest.empty()) return block;
    if (rest.size() != sizeof(Hash::bytes)) return std::nullopt;
    std::memcpy(block.hash.emplace().bytes.data(), rest.data(), rest.size());
    return block;
}

std::string all_positions() { return KeyWriter().u8(position_tag).take(); }

std::string positions_of(const TenantId& tenant) { return of_tenant(position_tag, tenant).take(); }

std::string position_key(const TenantId& tenant, Position position) {
    return of_tenant(position_tag, tenant).u64(position.value).take();
}

std::optional<PositionRow> position_row(std::string_view value) {
    PositionRow row;
    KeyReader reader(value);
    if (!reader.u64(row.sequence) || reader.rest().size() != row.hash.bytes.size()) {
        return std::nullopt;
    }
    std::memcpy(row.hash.bytes.data(), reader.rest().data(), row.hash.bytes.size());
    return row;
}

std::optional<std::pair<TenantId, Position>> position_of(std::string_view key) {
    KeyReader reader(key);
    std::uint8_t tag = 0;
    std::string name;
    Position position;
    if (!reader.u8(tag) || tag != position_tag || !reader.text(name) ||
        !reader.u64(position.value) || !reader.at_end()) {
        return std::nullopt;
    }
    std::optional<TenantId> tenant = TenantId::parse(name);
    if (!tenant) return std::nullopt;
    return std::pair(*std::move(tenant), position);
}

std::string stream_prefix(const TenantId& tenant, const StreamId& stream) {
    return of_stream(tenant, stream).take();
}

std::string stream_key(const TenantId& tenant, const StreamId& stream, Version version) {
    return of_stream(tenant, stream).u64(version.value).take();
}

std::optional<std::vector<EventAddress>> addresses_of(std::string_view key,
                                                      std::string_view value) {
    if (key.size() < sizeof(std::uint64_t)) return std::nullopt;
    EventAddress address;
    KeyReader end_of_key(key.substr(key.size() - sizeof(std::uint64_t)));
    if (!end_of_key.u64(address.version.value)) return std::nullopt;
    std::vector<EventAddress> addresses;
    KeyReader reader(value);
    do {
        if (!reader.u64(address.position.value) || !reader.u32(address.index)) return std::nullopt;
        addresses.push_back(address);
        address.version = address.version.next();
    } while (!reader.at_end());
    if (addresses.size() > events_of_row_max) return std::nullopt;
    return addresses;
}

std::string keys_of(const TenantId& tenant) { return of_tenant(key_tag, tenant).take(); }

std::string key_value(Position position) { return KeyWriter().u64(position.value).take(); }

std::string address_value(Position position, std::uint32_t index) {
    return KeyWriter().u64(position.value).u32(index).take();
}

std::string key_key(const TenantId& tenant, const Hash& key_digest) {
    return of_tenant(key_tag, tenant).hash(key_digest).take();
}

std::optional<Position> key_row(std::string_view value) {
    const std::optional<std::uint64_t> position = one_number(value);
    if (!position) return std::nullopt;
    return Position{*position};
}

std::string end_key() { return KeyWriter().u8(end_tag).take(); }

std::string end_value(std::uint64_t sequence) { return KeyWriter().u64(sequence).take(); }

std::optional<std::uint64_t> end_row(std::string_view value) { return one_number(value); }

std::string origin_key(const TenantId& tenant) { return of_tenant(origin_tag, tenant).take(); }

std::string origin_value(std::uint64_t offset) { return KeyWriter().u64(offset).take(); }

std::optional<std::uint64_t> origin_row(std::string_view value) { return one_number(value); }

std::string announced_key(const TenantId& tenant) {
    return of_tenant(announced_tag, tenant).take();
}

std::string announced_value(const AnnouncedRow& row) {
    return KeyWriter().u64(row.position.value).u64(row.offset).take();
}

std::optional<AnnouncedRow> announced_row(std::string_view value) {
    AnnouncedRow row;
    KeyReader reader(value);
    if (!reader.u64(row.position.value) || !reader.u64(row.offset) || !reader.at_end()) {
        return std::nullopt;
    }
    return row;
}

std::string cluster_key() { return KeyWriter().u8(cluster_tag).take(); }

}  // namespace log_rows

}  // namespace bos::eventstore
