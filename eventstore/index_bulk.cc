#include "eventstore/index_bulk.h"

#include "eventstore/log_rows.h"
#include "eventstore/rocks_status.h"
#include "eventstore/sorted_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

namespace bos::eventstore {

namespace {

// Rows are written in another order than they stand in memory: so far ahead they are asked for.
constexpr std::size_t rows_ahead = 8;

/// The first eight bytes as a number that has their order.
template <std::size_t size>
std::uint64_t begin_of(const std::array<std::uint8_t, size>& bytes) {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < sizeof(number); ++i) number = number << 8 | bytes[i];
    return number;
}

/// Writes the rows of a segment in the order of their keys.
class Bulk {
  public:
    Bulk(const LogDatabase& database, const IndexSegment& segment, SortedFile& file)
        : database_(database), segment_(segment), file_(file) {
        by_id_.resize(segment.tenants().size());
        std::iota(by_id_.begin(), by_id_.end(), 0U);
        std::ranges::sort(by_id_, {}, [&](std::uint32_t number) -> const TenantId& {
            return segment.tenants()[number].id;
        });
        ranks_.resize(by_id_.size());
        for (std::uint32_t rank = 0; rank < by_id_.size(); ++rank) ranks_[by_id_[rank]] = rank;
    }

    [[nodiscard]] Result<void> write() {
        // By their tags: e, k, r, s.
        BOS_CHECK(file_.put(log_rows::end_key(), log_rows::end_value(segment_.last())));
        BOS_CHECK(put_keys());
        for (const std::uint32_t number : by_id_) {
            BOS_CHECK(put_blocks(segment_.tenants()[number]));
        }
        return put_streams();
    }

  private:
    [[nodiscard]] Result<void> put_keys() {
        struct Row {
            std::uint32_t rank = 0;
            std::uint64_t begin = 0;  ///< of the digest, as a number: most are told apart by it
            const IndexSegment::Keys::value_type* key = nullptr;
        };
        std::vector<Row> rows;
        rows.reserve(segment_.keys().size());
        for (const auto& each : segment_.keys()) {
            rows.push_back({.rank = ranks_[each.first.tenant],
                            .begin = begin_of(each.first.digest.bytes),
                            .key = &each});
        }
        std::ranges::sort(rows, [](const Row& a, const Row& b) {
            if (a.rank != b.rank) return a.rank < b.rank;
            if (a.begin != b.begin) return a.begin < b.begin;
            return a.key->first.digest < b.key->first.digest;
        });
        std::string key;
        std::size_t prefix = 0;
        std::uint32_t rank = 0;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (i + rows_ahead < rows.size()) __builtin_prefetch(rows[i + rows_ahead].key);
            const Row& row = rows[i];
            if (key.empty() || row.rank != rank) {
                rank = row.rank;
                key = log_rows::keys_of(segment_.tenants()[by_id_[rank]].id);
                prefix = key.size();
            }
            const auto& digest = row.key->first.digest.bytes;
            key.resize(prefix);
            key.append(reinterpret_cast<const char*>(digest.data()), digest.size());
            BOS_CHECK(file_.put(key, log_rows::key_value(row.key->second)));
        }
        return {};
    }

    /// A block that the tables have a beginning of is written again, whole.
    [[nodiscard]] Result<void> put_blocks(const IndexSegment::Tenant& tenant) {
        using log_rows::PositionBlock;
        PositionBlock block{.first = tenant.first, .sequences = {}, .hash = std::nullopt};
        std::string key = log_rows::block_key(tenant.id, tenant.first);
        if (tenant.first.value % PositionBlock::positions != 0) {
            BOS_TRY(std::optional<PositionBlock> begun, find_block(key));
            if (begun) {
                if (begun->last().next() != tenant.first)
                    return fail(Code::corrupt, "the index of " + tenant.id.value() + " has a gap");
                block = *std::move(begun);
            }
        }
        block.hash.reset();
        for (std::size_t i = 0; i < tenant.sequences.size(); ++i) {
            block.sequences.push_back(tenant.sequences[i]);
            if (!block.is_full()) continue;
            if (i + 1 == tenant.sequences.size()) block.hash = tenant.hash;
            BOS_CHECK(file_.put(key, log_rows::block_value(block)));
            const Position next = block.last().next();
            block = {.first = next, .sequences = {}, .hash = std::nullopt};
            key = log_rows::block_key(tenant.id, next);
        }
        if (block.sequences.empty()) return {};
        block.hash = tenant.hash;
        return file_.put(key, log_rows::block_value(block));
    }

    [[nodiscard]] Result<std::optional<log_rows::PositionBlock>> find_block(
        const std::string& key) const {
        std::string value;
        const rocksdb::Status status =
            database_.db().Get({}, database_.families().index, key, &value);
        if (status.IsNotFound()) return std::nullopt;
        BOS_ROCKS(status, "read a part of the index");
        auto block = log_rows::block_row(key, value);
        if (!block) return fail(Code::corrupt, "an index row of positions is damaged");
        return block;
    }

    [[nodiscard]] Result<void> put_streams() {
        struct Row {
            std::uint32_t rank = 0;
            std::uint16_t type = 0;
            std::uint64_t begin = 0;  ///< of the id, as in put_keys()
            const IndexSegment::Streams::value_type* stream = nullptr;
        };
        std::vector<Row> rows;
        rows.reserve(segment_.streams().size());
        for (const auto& each : segment_.streams()) {
            const StreamId& id = each.first.id;
            rows.push_back({.rank = ranks_[each.first.tenant],
                            .type = id.type,
                            .begin = begin_of(id.id.bytes),
                            .stream = &each});
        }
        std::ranges::sort(rows, [](const Row& a, const Row& b) {
            if (a.rank != b.rank) return a.rank < b.rank;
            if (a.type != b.type) return a.type < b.type;
            if (a.begin != b.begin) return a.begin < b.begin;
            return a.stream->first.id < b.stream->first.id;
        });
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (i + rows_ahead < rows.size()) __builtin_prefetch(rows[i + rows_ahead].stream);
            const auto& row = rows[i].stream;
            const TenantId& tenant = segment_.tenants()[row->first.tenant].id;
            const std::vector<EventAddress>& events = row->second;
            for (auto event = events.begin(); event != events.end();) {
                const Version first = event->version;
                std::string value;
                std::size_t count = 0;
                do {
                    value += log_rows::address_value(event->position, event->index);
                    ++event, ++count;
                } while (event != events.end() && count < log_rows::events_of_row_max &&
                         event->version.value == first.value + count);
                BOS_CHECK(file_.put(log_rows::stream_key(tenant, row->first.id, first), value));
            }
        }
        return {};
    }

    const LogDatabase& database_;
    const IndexSegment& segment_;
    SortedFile& file_;
    std::vector<std::uint32_t> by_id_;  ///< places in segment_.tenants(), in the order of keys
    std::vector<std::uint32_t> ranks_;  ///< and the other way round
};

}  // namespace

Result<void> write_bulk(const LogDatabase& database, const IndexSegment& segment) {
    SortedFile file(database, database.families().index, fmt::format("index-{}", segment.last()));
    BOS_CHECK(file.begin());
    BOS_CHECK(Bulk(database, segment, file).write());
    return file.ingest();
}

}  // namespace bos::eventstore
