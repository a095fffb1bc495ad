#include "eventstore/index_tables.h"

#include "eventstore/event_addresses.h"
#include "eventstore/log_rows.h"
#include "eventstore/rocks_status.h"
#include "schemas/base/keys.h"

#include <fmt/format.h>

#include <utility>

namespace bos::eventstore {

namespace {

rocksdb::ReadOptions up_to(const rocksdb::Slice& upper_bound) {
    rocksdb::ReadOptions read;
    read.iterate_upper_bound = &upper_bound;
    return read;
}

std::unexpected<Error> damaged(const TenantId& tenant, std::string_view row) {
    return fail(Code::corrupt,
                tenant.value() + ": an index row of " + std::string(row) + " is damaged");
}

std::unexpected<Error> missing(const TenantId& tenant, Position position) {
    return fail(Code::corrupt,
                fmt::format("{} at {}: the record is missing", tenant.value(), position.value));
}

}  // namespace

Result<std::optional<std::string>> IndexTables::row(const std::string& key,
                                                    std::string_view doing) const {
    std::string value;
    const rocksdb::Status status = database_.db().Get({}, database_.families().index, key, &value);
    if (status.IsNotFound()) return std::nullopt;
    BOS_ROCKS(status, doing);
    return value;
}

Result<std::uint64_t> IndexTables::end() const {
    BOS_TRY(const auto value, row(log_rows::end_key(), "read the index's end"));
    if (!value) return 0;
    const auto end = log_rows::end_row(*value);
    if (!end) return fail(Code::corrupt, "the index row of its end is damaged");
    return *end;
}

Result<Head> IndexTables::head(const TenantId& tenant) const {
    const auto all = rows({});
    const std::string blocks = log_rows::blocks_of(tenant);
    all->SeekForPrev(after_prefix(blocks));
    if (all->Valid() && all->key().starts_with(blocks)) {
        const auto block =
            log_rows::block_row(all->key().ToStringView(), all->value().ToStringView());
        if (!block || !block->hash) return damaged(tenant, "the head");
        return Head{.position = block->last(), .hash = *block->hash};
    }
    BOS_ROCKS(all->status(), "look for the head of " + tenant.value());
    const std::string positions = log_rows::positions_of(tenant);
    all->SeekForPrev(after_prefix(positions));
    BOS_ROCKS(all->status(), "look for the head of " + tenant.value());
    if (!all->Valid() || !all->key().starts_with(positions)) return Head{};
    const auto place = log_rows::position_of(all->key().ToStringView());
    const auto row = log_rows::position_row(all->value().ToStringView());
    if (!place || !row) return damaged(tenant, "the head");
    return Head{.position = place->second, .hash = row->hash};
}

Result<std::optional<std::uint64_t>> IndexTables::sequence(const TenantId& tenant,
                                                           Position position) const {
    const std::string block_key = log_rows::block_key(tenant, position);
    BOS_TRY(const auto block_value, row(block_key, "look for a position of " + tenant.value()));
    if (block_value) {
        const auto block = log_rows::block_row(block_key, *block_value);
        if (!block) return damaged(tenant, "positions");
        if (position > block->last()) return std::nullopt;
        if (position >= block->first) return block->sequences[position.value - block->first.value];
    }
    BOS_TRY(const auto value, row(log_rows::position_key(tenant, position),
                                  "look for a position of " + tenant.value()));
    if (!value) return std::nullopt;
    const auto found = log_rows::position_row(*value);
    if (!found) return damaged(tenant, "a position");
    return found->sequence;
}

Result<void> IndexTables::positions(const TenantId& tenant, Position from, Position to,
                                    const Visit& visit) const {
    Position expected = from;
    {
        const std::string end = after_prefix(log_rows::positions_of(tenant));
        const rocksdb::Slice upper_bound = end;
        const auto earlier = rows(up_to(upper_bound));
        for (earlier->Seek(log_rows::position_key(tenant, expected));
             earlier->Valid() && expected <= to; earlier->Next(), expected = expected.next()) {
            const auto place = log_rows::position_of(earlier->key().ToStringView());
            const auto row = log_rows::position_row(earlier->value().ToStringView());
            if (!place || !row) return damaged(tenant, "a position");
            if (place->second != expected) return missing(tenant, expected);
            BOS_TRY(const bool more, visit(expected, row->sequence));
            if (!more) return {};
        }
        BOS_ROCKS(earlier->status(), "read the positions of " + tenant.value());
    }
    const std::string end = after_prefix(log_rows::blocks_of(tenant));
    const rocksdb::Slice upper_bound = end;
    const auto blocks = rows(up_to(upper_bound));
    for (blocks->Seek(log_rows::block_key(tenant, expected)); blocks->Valid() && expected <= to;
         blocks->Next()) {
        const auto block =
            log_rows::block_row(blocks->key().ToStringView(), blocks->value().ToStringView());
        if (!block) return damaged(tenant, "positions");
        if (expected < block->first) return missing(tenant, expected);
        for (; expected <= block->last() && expected <= to; expected = expected.next()) {
            BOS_TRY(const bool more,
                    visit(expected, block->sequences[expected.value - block->first.value]));
            if (!more) return {};
        }
    }
    BOS_ROCKS(blocks->status(), "read the positions of " + tenant.value());
    return {};
}

Result<std::vector<EventAddress>> IndexTables::stream(const TenantId& tenant,
                                                      const StreamId& stream, Version from,
                                                      std::size_t limit) const {
    const std::string end = after_prefix(log_rows::stream_prefix(tenant, stream));
    const rocksdb::Slice upper_bound = end;
    const auto all = rows(up_to(upper_bound));
    std::vector<EventAddress> addresses;
    constexpr std::uint64_t before = log_rows::events_of_row_max - 1;
    const Version first{from.value > before ? from.value - before : 0};
    for (all->Seek(log_rows::stream_key(tenant, stream, first)); all->Valid(); all->Next()) {
        const auto row =
            log_rows::addresses_of(all->key().ToStringView(), all->value().ToStringView());
        if (!row) return damaged(tenant, "a stream");
        const bool enough = addresses.size() >= limit;
        if (enough && (limit == 0 || row->front().version > addresses[limit - 1].version)) break;
        for (const EventAddress& address : *row) {
            if (address.version >= from) put_newest(addresses, address);
        }
    }
    if (addresses.size() > limit) addresses.resize(limit);
    BOS_ROCKS(all->status(), "read a stream of " + tenant.value());
    return addresses;
}

Result<std::optional<Position>> IndexTables::find_key(const TenantId& tenant,
                                                      const Hash& key_digest) const {
    BOS_TRY(const auto value,
            row(log_rows::key_key(tenant, key_digest), "look for a key of " + tenant.value()));
    if (!value) return std::nullopt;
    const auto position = log_rows::key_row(*value);
    if (!position) return damaged(tenant, "a key");
    return position;
}

Result<void> IndexTables::add_tenants(std::set<TenantId>& tenants) const {
    const auto all = rows({});
    const std::string blocks = log_rows::all_blocks();
    for (all->Seek(blocks); all->Valid() && all->key().starts_with(blocks);) {
        const auto tenant = log_rows::tenant_of_block(all->key().ToStringView());
        if (!tenant) return fail(Code::corrupt, "an index row of positions is damaged");
        tenants.insert(*tenant);
        all->Seek(after_prefix(log_rows::blocks_of(*tenant)));
    }
    BOS_ROCKS(all->status(), "list the tenants");
    const std::string positions = log_rows::all_positions();
    for (all->Seek(positions); all->Valid() && all->key().starts_with(positions);) {
        const auto place = log_rows::position_of(all->key().ToStringView());
        if (!place) return fail(Code::corrupt, "an index row of a position is damaged");
        tenants.insert(place->first);
        all->Seek(after_prefix(log_rows::positions_of(place->first)));
    }
    BOS_ROCKS(all->status(), "list the tenants");
    return {};
}

}  // namespace bos::eventstore
