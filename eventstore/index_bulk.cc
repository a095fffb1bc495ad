#include "eventstore/index_bulk.h"

#include "eventstore/log_rows.h"
#include "eventstore/rocks_status.h"
#include "schemas/base/keys.h"

#include <fmt/format.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_writer.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

namespace bos::eventstore {

namespace {

constexpr std::string_view suffix = ".bulk";

/// One name for each: a file that became a table, and whose first name a crash left, is never
/// written over.
std::string bulk_path(const LogDatabase& database, const IndexSegment& segment) {
    return fmt::format("{}/index-{}{}", database.db().GetName(), segment.last(), suffix);
}

Result<void> remove(rocksdb::Env& env, const std::string& path) {
    const rocksdb::Status removed = env.DeleteFile(path);
    const bool gone = removed.IsNotFound() || removed.IsPathNotFound();
    if (!gone) BOS_ROCKS(removed, "remove an unfinished part of the index");
    return {};
}

/// Writes the rows of a segment in the order of their keys.
class Bulk {
  public:
    Bulk(const LogDatabase& database, const IndexSegment& segment, rocksdb::SstFileWriter& file)
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
        BOS_CHECK(put(log_rows::end_key(), log_rows::end_value(segment_.last())));
        BOS_CHECK(put_keys());
        for (const std::uint32_t number : by_id_) {
            BOS_CHECK(put_blocks(segment_.tenants()[number]));
        }
        return put_streams();
    }

  private:
    [[nodiscard]] Result<void> put(const std::string& key, const std::string& value) {
        BOS_ROCKS(file_.Put(key, value), "write a part of the index");
        return {};
    }

    [[nodiscard]] Result<void> put_keys() {
        struct Row {
            std::uint32_t rank = 0;
            std::uint64_t begin = 0;  ///< of the digest, as a number: most are told apart by it
            const IndexSegment::Keys::value_type* key = nullptr;
        };
        std::vector<Row> rows;
        rows.reserve(segment_.keys().size());
        for (const auto& each : segment_.keys()) {
            KeyReader digest({reinterpret_cast<const char*>(each.first.digest.bytes.data()),
                              each.first.digest.bytes.size()});
            Row row{.rank = ranks_[each.first.tenant], .key = &each};
            if (digest.u64(row.begin)) rows.push_back(row);
        }
        std::ranges::sort(rows, [](const Row& a, const Row& b) {
            if (a.rank != b.rank) return a.rank < b.rank;
            if (a.begin != b.begin) return a.begin < b.begin;
            return a.key->first.digest < b.key->first.digest;
        });
        std::string key;
        std::size_t prefix = 0;
        std::uint32_t rank = 0;
        for (const Row& row : rows) {
            if (key.empty() || row.rank != rank) {
                rank = row.rank;
                key = log_rows::keys_of(segment_.tenants()[by_id_[rank]].id);
                prefix = key.size();
            }
            const auto& digest = row.key->first.digest.bytes;
            key.resize(prefix);
            key.append(reinterpret_cast<const char*>(digest.data()), digest.size());
            BOS_CHECK(put(key, log_rows::key_value(row.key->second)));
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
            BOS_CHECK(put(key, log_rows::block_value(block)));
            const Position next = block.last().next();
            block = {.first = next, .sequences = {}, .hash = std::nullopt};
            key = log_rows::block_key(tenant.id, next);
        }
        if (block.sequences.empty()) return {};
        block.hash = tenant.hash;
        return put(key, log_rows::block_value(block));
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
        using Row = const IndexSegment::Streams::value_type*;
        std::vector<Row> rows;
        rows.reserve(segment_.streams().size());
        for (const auto& each : segment_.streams()) rows.push_back(&each);
        std::ranges::sort(rows, [this](Row a, Row b) {
            if (a->first.tenant != b->first.tenant)
                return ranks_[a->first.tenant] < ranks_[b->first.tenant];
            return a->first.id < b->first.id;
        });
        for (Row row : rows) {
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
                BOS_CHECK(put(log_rows::stream_key(tenant, row->first.id, first), value));
            }
        }
        return {};
    }

    const LogDatabase& database_;
    const IndexSegment& segment_;
    rocksdb::SstFileWriter& file_;
    std::vector<std::uint32_t> by_id_;  ///< places in segment_.tenants(), in the order of keys
    std::vector<std::uint32_t> ranks_;  ///< and the other way round
};

}  // namespace

Result<void> write_bulk(const LogDatabase& database, const IndexSegment& segment) {
    rocksdb::DB& db = database.db();
    rocksdb::ColumnFamilyHandle* index = database.families().index;
    const std::string path = bulk_path(database, segment);
    BOS_CHECK(remove(*db.GetEnv(), path));  // of an earlier try
    const rocksdb::Options options = db.GetOptions(index);
    constexpr bool leave_the_page_cache = false;
    rocksdb::SstFileWriter file(rocksdb::EnvOptions(), options, index, leave_the_page_cache);
    BOS_ROCKS(file.Open(path), "begin a part of the index");
    BOS_CHECK(Bulk(database, segment, file).write());
    BOS_ROCKS(file.Finish(), "end a part of the index");
    // The index must never know of records that a loss of power takes.
    if (database.families().notes) BOS_ROCKS(db.FlushWAL(true), "sync the records");
    rocksdb::IngestExternalFileOptions ingestion;
    ingestion.move_files = true;
    ingestion.write_global_seqno = false;
    BOS_ROCKS(db.IngestExternalFile(index, {path}, ingestion), "add a part to the index");
    return {};
}

Result<void> remove_unfinished_bulks(rocksdb::Env& env, const std::string& path) {
    std::vector<std::string> names;
    const rocksdb::Status listed = env.GetChildren(path, &names);
    if (listed.IsNotFound() || listed.IsPathNotFound()) return {};  // no log yet
    BOS_ROCKS(listed, "look for unfinished parts of the index");
    for (const std::string& name : names) {
        if (name.ends_with(suffix)) BOS_CHECK(remove(env, path + "/" + name));
    }
    return {};
}

}  // namespace bos::eventstore
