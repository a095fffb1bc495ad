#pragma once

#include "projections/codec.h"
#include "projections/past.h"
#include "projections/view_reader.h"
#include "projections/write_session.h"
#include "schemas/base/assert.h"
#include "schemas/base/keys.h"
#include "schemas/base/uuid.h"

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bos::projections {

/// Where a table's rows stand in their view: u8 table | key parts. All keys of a table have the
/// same parts, in the same order, so that none is a prefix of another.
template <class Key>
concept TableKey = requires(const Key& key, KeyWriter& writer) { append_key(writer, key); };

inline void append_key(KeyWriter& writer, const Uuid& key) { writer.uuid(key); }
template <class Tag>
void append_key(KeyWriter& writer, const Id<Tag>& key) {
    writer.uuid(key.value());
}
inline void append_key(KeyWriter& writer, std::string_view key) { writer.text(key); }
inline void append_key(KeyWriter& writer, std::uint64_t key) { writer.u64(key); }

/// Typed rows of one table of a view. `V` is the view that owns them, `number` tells its tables
/// apart, and `Key` is an Id, a Uuid, text, a number, or a type with its own append_key(KeyWriter&,
/// const Key&). Rows with Past::none are read by readers of now only (BOS_ASSERT).
///
///     using Rows = Table<BoardView, 0, LeadId, LeadRow>;
///     Rows::put(rows, id, row);                      // in apply
///     auto row = Rows::get(reader, id);              // in a query
template <class V, std::uint8_t number, class Key, class Row, Past past = Past::kept>
struct Table {
    using row_type = Row;
    using key_type = Key;
    static constexpr std::uint8_t table = number;

    [[nodiscard]] static std::string key_of(const Key& key) {
        KeyWriter writer;
        writer.u8(number);
        append_key(writer, key);
        return writer.take();
    }

    static void put(ViewWriter& rows, const Key& key, const Row& row) {
        rows.put(key_of(key), Codec<Row>::encode(row), past);
    }
    static void erase(ViewWriter& rows, const Key& key) { rows.erase(key_of(key), past); }

    /// None when there is no such row. A row that does not decode fails the session.
    [[nodiscard]] static std::optional<Row> get(ViewWriter& rows, const Key& key) {
        const std::optional<std::string_view> bytes = rows.get(key_of(key), past);
        if (!bytes) return std::nullopt;
        Result<Row> row = Codec<Row>::decode(*bytes);
        if (row) return *std::move(row);
        rows.fail(row.error());
        return std::nullopt;
    }

    /// Reads the row, lets `change` alter it and writes it back. False when there is no such row.
    template <std::invocable<Row&> Change>
    static bool update(ViewWriter& rows, const Key& key, Change&& change) {
        std::optional<Row> row = get(rows, key);
        if (!row) return false;
        change(*row);
        put(rows, key, *row);
        return true;
    }

    [[nodiscard]] static Result<std::optional<Row>> get(const ViewReader& reader, const Key& key) {
        BOS_ASSERT(past == Past::kept || reader.is_of_now());
        std::string bytes;
        BOS_TRY(const bool found, reader.get(V::id, key_of(key), bytes));
        if (!found) return std::nullopt;
        BOS_TRY(Row row, Codec<Row>::decode(bytes));
        return std::optional<Row>(std::move(row));
    }

    /// Visits every row in key order: `visit(Row&&)` returns false to stop.
    template <std::invocable<Row&&> Visit>
    [[nodiscard]] static Result<void> scan(const ViewReader& reader, Visit&& visit) {
        return scan_keys(reader, KeyWriter().u8(number).bytes(), std::forward<Visit>(visit));
    }

    /// The same for rows whose key starts with `prefix`, which starts with the table's number.
    template <std::invocable<Row&&> Visit>
    [[nodiscard]] static Result<void> scan_keys(const ViewReader& reader, std::string_view prefix,
                                                Visit&& visit) {
        BOS_ASSERT(past == Past::kept || reader.is_of_now());
        Result<void> outcome;
        BOS_CHECK(reader.scan_prefix(V::id, prefix, [&](std::string_view, std::string_view bytes) {
            Result<Row> row = Codec<Row>::decode(bytes);
            if (!row) outcome = std::unexpected(row.error());
            return row && visit(*std::move(row));
        }));
        return outcome;
    }
};

}  // namespace bos::projections
