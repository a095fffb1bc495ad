#pragma once

#include "projections/table.h"
#include "schemas/base/actor.h"

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bos::projections {

/// Who sees a row in the narrower scopes.
struct RowScopes {
    std::optional<UserId> owner;   ///< sees it in the scope own
    std::vector<UserId> assigned;  ///< see it in the scope assigned, and so does the owner
};

/// What a module says about a list: its rows, and the orders in which they can be asked for.
///
///     struct LeadList {
///         using View = Board;                                  // owns the rows and the index
///         using Rows = Table<Board, 0, LeadId, LeadRow>;
///         static constexpr std::uint8_t index = 1;             // the view's table for the index
///         static constexpr std::string_view sorts[] = {"created_at", "score"};   // the first is
///                                                              // the default
///         static void append_sort_key(KeyWriter& key, const LeadRow& row, std::size_t sort);
///         static LeadId id_of(const LeadRow& row);
///         static RowScopes scopes_of(const LeadRow& row);
///         static std::vector<std::string> groups_of(const LeadRow& row);  // optional, see Grouped
///     };
template <class L>
concept Listed = requires(const typename L::Rows::row_type& row, KeyWriter& key, std::size_t sort) {
    typename L::View;
    { L::index } -> std::convertible_to<std::uint8_t>;
    { std::span<const std::string_view>(L::sorts) };
    { L::append_sort_key(key, row, sort) };
    { L::id_of(row) } -> std::same_as<typename L::Rows::key_type>;
    { L::scopes_of(row) } -> std::same_as<RowScopes>;
};

/// A list in groups, each asked for by itself (ListQuery::group): a row stands in those whose key
/// bytes `groups_of` gives. None of them is a prefix of another.
template <class L>
concept Grouped = Listed<L> && requires(const typename L::Rows::row_type& row) {
    { L::groups_of(row) } -> std::same_as<std::vector<std::string>>;
};

/// The groups that a row stands in; a list without groups is one.
template <Listed L>
[[nodiscard]] std::vector<std::string> groups_in(const typename L::Rows::row_type& row) {
    if constexpr (Grouped<L>) {
        return L::groups_of(row);
    } else {
        return {std::string()};
    }
}

/// Writes a list's rows together with their index entries, so that the two never differ. An entry
/// is a row of the view without bytes; its key is
///
///     u8 index table | u8 scope | 16 bytes user (not in scope all) | group | u8 sort | sort key |
///     16 bytes id
///
/// so a page of a viewer's list is one range, and nothing outside of it is ever looked at. Entries
/// of the narrower scopes have no past: whoever asks for it sees what is theirs today, as it stood.
/// What is a user's own has no entry of theirs in scope assigned: its pages are merged of two
/// ranges, for that is seldomer than a change of a row.
template <Listed L>
struct ListIndex {
    using Rows = typename L::Rows;
    using Row = typename Rows::row_type;
    using Id = typename Rows::key_type;

    static constexpr std::size_t sort_count = std::size(L::sorts);

    /// Where a row's index entries stand: in each range one for each sort.
    struct Entries {
        /// u8 index table | u8 scope | 16 bytes user | group, in order.
        std::vector<std::string> ranges;
        /// u8 sort | sort key
        std::array<std::string, sort_count> sorts;
    };

    static void put(ViewWriter& rows, const Row& row) {
        const std::optional<Row> old = Rows::get(rows, L::id_of(row));
        replace(rows, old ? entries_of(*old) : Entries{}, row);
    }

    /// The same for who has read the row before: `before` are its entries, none if there was none.
    static void replace(ViewWriter& rows, const Entries& before, const Row& row) {
        const Entries after = entries_of(row);
        const Id id = L::id_of(row);
        for_each_only_in(before, after, id,
                         [&](std::string_view entry) { rows.erase(entry, past_of(entry)); });
        for_each_only_in(after, before, id,
                         [&](std::string_view entry) { rows.put(entry, {}, past_of(entry)); });
        Rows::put(rows, id, row);
    }

    static void erase(ViewWriter& rows, const Id& id) {
        const std::optional<Row> old = Rows::get(rows, id);
        if (!old) return;
        for_each_only_in(entries_of(*old), Entries{}, id,
                         [&](std::string_view entry) { rows.erase(entry, past_of(entry)); });
        Rows::erase(rows, id);
    }

    /// Reads the row, lets `change` alter it and writes it back. False when there is no such row.
    template <std::invocable<Row&> Change>
    static bool update(ViewWriter& rows, const Id& id, Change&& change) {
        std::optional<Row> row = Rows::get(rows, id);
        if (!row) return false;
        const Entries before = entries_of(*row);
        change(*row);
        replace(rows, before, *row);
        return true;
    }

    [[nodiscard]] static Entries entries_of(const Row& row) {
        Entries entries;
        const RowScopes scopes = L::scopes_of(row);
        for (const std::string& group : groups_in<L>(row)) {
            entries.ranges.push_back(range(Scope::all).raw(group).take());
            if (scopes.owner)
                entries.ranges.push_back(range(Scope::own, *scopes.owner).raw(group).take());
            for (const UserId& user : scopes.assigned) {
                if (user == scopes.owner) continue;
                entries.ranges.push_back(range(Scope::assigned, user).raw(group).take());
            }
        }
        std::ranges::sort(entries.ranges);
        const auto repeated = std::ranges::unique(entries.ranges);
        entries.ranges.erase(repeated.begin(), repeated.end());
        for (std::size_t sort = 0; sort < sort_count; ++sort) {
            KeyWriter key;
            key.u8(static_cast<std::uint8_t>(sort));
            L::append_sort_key(key, row, sort);
            entries.sorts[sort] = key.take();
        }
        return entries;
    }

  private:
    static Past past_of(std::string_view entry) {
        return entry[1] == static_cast<char>(Scope::all) ? Past::kept : Past::none;
    }
    static KeyWriter range(Scope scope) {
        KeyWriter key;
        key.u8(L::index).u8(static_cast<std::uint8_t>(scope));
        return key;
    }
    static KeyWriter range(Scope scope, const UserId& user) {
        KeyWriter key = range(scope);
        key.uuid(user.value());
        return key;
    }

    /// Of two versions of one row.
    template <std::invocable<std::string_view> Visit>
    static void for_each_only_in(const Entries& these, const Entries& others, const Id& id,
                                 Visit&& visit) {
        std::array<bool, sort_count> same{};
        for (std::size_t sort = 0; sort < sort_count; ++sort)
            same[sort] = these.sorts[sort] == others.sorts[sort];
        KeyWriter id_bytes;
        append_key(id_bytes, id);
        std::string entry;
        for (const std::string& range : these.ranges) {
            const bool in_both = std::ranges::binary_search(others.ranges, range);
            for (std::size_t sort = 0; sort < sort_count; ++sort) {
                if (in_both && same[sort]) continue;
                entry.assign(range).append(these.sorts[sort]).append(id_bytes.bytes());
                visit(entry);
            }
        }
    }
};

}  // namespace bos::projections
