#include "eventstore/log_rows.h"

#include "schemas/base/keys.h"

#include <algorithm>
#include <cstring>

namespace bos::eventstore {

namespace log_rows {

namespace {

constexpr std::uint8_t position_tag = 'p';
constexpr std::uint8_t stream_tag = 's';
constexpr std::uint8_t key_tag = 'k';
constexpr std::uint8_t end_tag = 'e';
constexpr std::uint8_t origin_tag = 'o';
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

}  // namespace

std::string record_key(std::uint64_t sequence) { return KeyWriter().u64(sequence).take(); }

std::optional<std::uint64_t> sequence_of(std::string_view key) { return one_number(key); }

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

std::optional<EventAddress> address_of(std::string_view key, std::string_view value) {
    if (key.size() < sizeof(std::uint64_t)) return std::nullopt;
    EventAddress address;
    KeyReader version(key.substr(key.size() - sizeof(std::uint64_t)));
    KeyReader reader(value);
    if (!version.u64(address.version.value) || !reader.u64(address.position.value) ||
        !reader.u32(address.index) || !reader.at_end()) {
        return std::nullopt;
    }
    return address;
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

std::optional<std::uint64_t> end_row(std::string_view value) { return one_number(value); }

std::string origin_key(const TenantId& tenant) { return of_tenant(origin_tag, tenant).take(); }

std::string origin_value(std::uint64_t offset) { return KeyWriter().u64(offset).take(); }

std::optional<std::uint64_t> origin_row(std::string_view value) { return one_number(value); }

std::string cluster_key() { return KeyWriter().u8(cluster_tag).take(); }

}  // namespace log_rows

void RecordRows::add(std::uint64_t sequence, std::string_view record, const RecordIndex& index) {
    const TenantId& tenant = index.link.tenant;
    const Position position = index.link.position;
    records_.emplace_back(sequence, record);
    const auto add = [this](std::string key, KeyWriter& value) {
        index_.push_back({std::move(key), value.take(), index_.size()});
    };
    add(log_rows::position_key(tenant, position), KeyWriter().u64(sequence).hash(index.hash));
    add(log_rows::key_key(tenant, index.key_digest), KeyWriter().u64(position.value));
    for (std::uint32_t i = 0; i < index.events.size(); ++i) {
        const RecordIndex::EventEntry& event = index.events[i];
        add(log_rows::stream_key(tenant, event.stream, event.version),
            KeyWriter().u64(position.value).u32(i));
    }
}

rocksdb::Status RecordRows::put(rocksdb::WriteBatch& batch, const LogFamilies& families) {
    // Of rows with one key the last one stays.
    std::ranges::sort(index_, [](const Row& a, const Row& b) {
        const int order = a.key.compare(b.key);
        return order != 0 ? order < 0 : a.number < b.number;
    });
    rocksdb::Status status;
    for (const auto& [sequence, record] : records_) {
        if (status.ok())
            status = batch.Put(families.records, log_rows::record_key(sequence), record);
    }
    for (const Row& row : index_) {
        if (status.ok()) status = batch.Put(families.index, row.key, row.value);
    }
    return status;
}

rocksdb::Status put_end(rocksdb::WriteBatch& batch, const LogFamilies& families,
                        std::uint64_t sequence) {
    return batch.Put(families.index, log_rows::end_key(), KeyWriter().u64(sequence).bytes());
}

}  // namespace bos::eventstore
