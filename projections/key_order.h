#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace bos::projections {

namespace key_order {

/// Eight bytes of a key as a number that has their order; zeros after its end.
inline std::uint64_t eight_bytes(std::string_view key, std::size_t from) {
    std::uint64_t number = 0;
    if (key.size() >= from + sizeof number) {
        std::memcpy(&number, key.data() + from, sizeof number);
    } else if (key.size() > from) {
        std::memcpy(&number, key.data() + from, key.size() - from);
    }
    return std::endian::native == std::endian::little ? __builtin_bswap64(number) : number;
}

template <class Row>
struct Item {
    std::uint64_t bytes = 0;
    Row* row = nullptr;
};

/// Those that have their first `depth` bytes in common.
template <class Row>
void sort(std::span<Item<Row>> items, std::size_t depth) {
    constexpr std::size_t few = 24;
    if (items.size() <= few) {
        std::ranges::sort(items, {}, [](const Item<Row>& item) { return item.row->key; });
        return;
    }
    bool all_alike = true;
    for (Item<Row>& item : items) {
        item.bytes = eight_bytes(item.row->key, depth);
        all_alike = all_alike && item.bytes == items.front().bytes;
    }
    const bool ended = all_alike && std::ranges::all_of(items, [&](const Item<Row>& item) {
                           return item.row->key.size() <= depth;
                       });
    if (ended) return;
    if (!all_alike) std::ranges::sort(items, {}, &Item<Row>::bytes);
    for (std::size_t begin = 0; begin < items.size();) {
        std::size_t end = begin + 1;
        while (end < items.size() && items[end].bytes == items[begin].bytes) ++end;
        if (end - begin > 1) sort(items.subspan(begin, end - begin), depth + sizeof(std::uint64_t));
        begin = end;
    }
}

}  // namespace key_order

/// Sorts rows by their `key`. Keys that share long beginnings, as those of an index do, are
/// compared eight bytes at a time in memory that is at hand, not byte by byte where they stand.
template <class Row>
void sort_by_key(std::vector<Row*>& rows) {
    std::vector<key_order::Item<Row>> items;
    items.reserve(rows.size());
    for (Row* row : rows) items.push_back({0, row});
    key_order::sort<Row>(items, 0);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = items[i].row;
}

}  // namespace bos::projections
