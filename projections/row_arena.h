#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace bos::projections {

/// Memory for what is kept together and let go together: keys, rows and what knows about them.
///
/// One thread at a time.
class RowArena {
  public:
    /// Bytes that stay where they are until clear().
    [[nodiscard]] std::string_view copy(std::string_view bytes) {
        if (bytes.empty()) return {};
        char* const place = allocate(bytes.size(), 1);
        std::memcpy(place, bytes.data(), bytes.size());
        return {place, bytes.size()};
    }
    /// An object that nobody destroys.
    template <class T, class... Arguments>
        requires std::is_trivially_destructible_v<T>
    [[nodiscard]] T& make(Arguments&&... arguments) {
        return *new (allocate(sizeof(T), alignof(T))) T{std::forward<Arguments>(arguments)...};
    }

    /// Bytes that clear() frees.
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    void clear() {
        chunks_.clear();
        next_ = end_ = nullptr;
        bytes_ = 0;
    }

  private:
    // Small at first: most tenants sleep.
    static constexpr std::size_t first_chunk_bytes = 1024;
    static constexpr std::size_t chunk_bytes_max = 256 * 1024;

    [[nodiscard]] char* allocate(std::size_t size, std::size_t alignment) {
        const auto misaligned = reinterpret_cast<std::size_t>(next_) % alignment;
        const std::size_t padding = misaligned == 0 ? 0 : alignment - misaligned;
        if (static_cast<std::size_t>(end_ - next_) < size + padding) return in_new_chunk(size);
        char* const place = next_ + padding;
        next_ = place + size;
        return place;
    }
    [[nodiscard]] char* in_new_chunk(std::size_t size) {
        const std::size_t grown = std::clamp(bytes_, first_chunk_bytes, chunk_bytes_max);
        const std::size_t chunk = std::max(grown, size);
        chunks_.push_back(std::make_unique_for_overwrite<char[]>(chunk));
        bytes_ += chunk;
        char* const place = chunks_.back().get();
        next_ = place + size;
        end_ = place + chunk;
        return place;
    }

    std::vector<std::unique_ptr<char[]>> chunks_;
    char* next_ = nullptr;
    char* end_ = nullptr;
    std::size_t bytes_ = 0;
};

}  // namespace bos::projections
