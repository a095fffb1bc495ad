#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace bos::projections {

/// Hash of a row's key for tables in memory. Not for what others choose: it is the same in every
/// process.
struct KeyHash {
    using is_avalanching = void;  // boost::unordered: every bit counts

    std::size_t operator()(std::string_view key) const {
        std::uint64_t hash = key.size();
        const char* bytes = key.data();
        std::size_t left = key.size();
        for (; left >= 8; left -= 8, bytes += 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, bytes, 8);
            hash = mixed(hash ^ word);
        }
        std::uint64_t word = 0;
        std::memcpy(&word, bytes, left);
        return mixed(hash ^ word ^ (std::uint64_t{left} << 56));
    }

  private:
    /// Both halves of a product with an odd constant, folded: every bit in comes to every bit out.
    static std::uint64_t mixed(std::uint64_t word) {
        __extension__ using Wide = unsigned __int128;
        const Wide product = Wide{word ^ 0x9E3779B97F4A7C15U} * 0xD6E8FEB86659FD93U;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }
};

}  // namespace bos::projections
