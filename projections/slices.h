#pragma once

#include <rocksdb/slice.h>

#include <string_view>

/// RocksDB's word for a string_view.
namespace bos::projections {

inline rocksdb::Slice slice_of(std::string_view view) { return {view.data(), view.size()}; }
inline std::string_view view_of(const rocksdb::Slice& slice) {
    return {slice.data(), slice.size()};
}

}  // namespace bos::projections
